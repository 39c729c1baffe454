// Values between the levels of a transform, and factors: elements, always reduced.

#ifndef TRANSFORM_WORDS_GLSL
#define TRANSFORM_WORDS_GLSL

layout(set = 0, binding = 2, std430) readonly buffer Factors { uvec4 factor_parts[]; };

#define Value Elem
#define Factor Elem

shared uvec4 values[2u * TILE];

Value value_of(Elem e) { return e; }
Elem value_words(Value x) { return x; }
Elem value_reduced(Value x) { return x; }
Value value_add(Value a, Value b) { return f_add(a, b); }
Value value_sub(Value a, Value b) { return f_sub(a, b); }
Value value_mul(Value x, Factor w) { return f_mul(x, w); }

Factor factor(uint i) {
    uint at = i * FIELD_PARTS;
    return READ_ELEMENT(factor_parts, at);
}

Value fetch(uint i) { return Elem(values[i], values[TILE + i]); }

void put(uint i, Value x) {
    values[i] = x.p0;
    values[TILE + i] = x.p1;
}

#endif
