// Breaks the kernel interface: the output is in set 1.

#version 460

layout(set = 0, binding = 0, std430) readonly buffer InputA { uint a_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer InputB { uint b_words[]; };
layout(set = 1, binding = 2, std430) writeonly buffer OutputC { uint c_words[]; };

layout(local_size_x = 128) in;

void main() {
    uint word = gl_GlobalInvocationID.x;
    if (word < uint(a_words.length())) {
        c_words[word] = a_words[word] ^ b_words[word];
    }
}
