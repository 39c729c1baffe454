// Values between the levels of a transform, and factors: elements, always reduced.

#ifndef TRANSFORM_WORDS_GLSL
#define TRANSFORM_WORDS_GLSL

layout(set = 0, binding = 2, std430) readonly buffer Factors { uvec4 factor_parts[]; };

#define Value Elem
#define FACTOR_SIZE 1u

shared uvec4 values[4u * GROUP_SIZE];

Value value_of(Elem e) { return e; }
Elem value_words(Value x) { return x; }
Elem value_reduced(Value x) { return x; }

Elem factor(uint i) {
    uint at = i * FIELD_PARTS;
    return READ_ELEMENT(factor_parts, at);
}

// a + w b to be kept and a - w b to be given away, or where it is `upper` the other way
// round, with the factor w at a place in a table.
void butterfly(Value a, Value b, uint place, uint unused, bool upper,
               out Value kept, out Value given) {
    // The first of all factors is one.
    if (place != 0u) {
        b = f_mul(b, factor(place));
    }
    Value sum = f_add(a, b);
    Value difference = f_sub(a, b);
    if (upper) {
        kept = difference;
        given = sum;
    } else {
        kept = sum;
        given = difference;
    }
}

// a and b by two factors that stand side by side in a table, and by two of a second table,
// from a place on so far from one another; each unless it is 0.
void multiply_pair(inout Value a, inout Value b, uint second, uint place, uint step,
                   uint unused, uint table, uint pair, uint unused_too) {
    uint end = second == 0u ? 2u : 4u;
    [[dont_unroll]] for (uint i = table == 0u ? 2u : 0u; i < end; i += 1u) {
        uint at = i < 2u ? table + 2u * pair + i : second + place + (i & 1u) * step;
        Value product = f_mul(a, factor(at));
        a = b;
        b = product;
    }
}

Value fetch(uint i) { return Elem(values[i], values[2u * GROUP_SIZE + i]); }

void put(uint i, Value x) {
    values[i] = x.p0;
    values[2u * GROUP_SIZE + i] = x.p1;
}

#ifdef SHUFFLE
Value shuffled(Value x, uint mask) {
    return Elem(subgroupShuffleXor(x.p0, mask), subgroupShuffleXor(x.p1, mask));
}
#endif

#endif
