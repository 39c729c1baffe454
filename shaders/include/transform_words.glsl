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

// a and b by two factors that stand side by side in a table, and by one of another table for
// both, unless that is 0.
void multiply_pair(inout Value a, inout Value b, uint both, uint place,
                   uint table, uint pair, uint unused) {
    uint factors = both == 0u ? 2u : 4u;
    [[dont_unroll]] for (uint i = 0u; i < factors; i += 1u) {
        Value product = f_mul(a, factor(i < 2u ? table + 2u * pair + i : both + place));
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
