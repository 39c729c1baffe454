// Of how many entries each bucket has, where it starts in its column: the sum of the counts
// before it. A column has 2^k buckets.
//
// Those of all columns are cut into blocks, a workgroup each: a part of a column, or some
// columns. SUMS leaves the sum of each block, for columns of more than one.
//
// Loops: EACH rounds, in SUMS once, else four times; the sums of the blocks before by
// GROUP_SIZE, 4 for 2^21 buckets; a tree of 8 steps.
//
// variant: msm_block_sums = SUMS
// variant: msm_offsets = OFFSETS

#version 460

#define GROUP_SIZE 256u
#define EACH 8u
#define BLOCK (GROUP_SIZE * EACH)

layout(local_size_x = 256) in;

layout(push_constant) uniform Job {
    // Of all columns, and of each.
    uint buckets;
    uint buckets_of_column;
    // The number of this dispatch's first block.
    uint first;
} job;

#ifdef SUMS

layout(set = 0, binding = 0, std430) readonly buffer Buckets { uint buckets[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Sums { uint block_sums[]; };

shared uint sums[GROUP_SIZE];

void main() {
    uint invocation = gl_LocalInvocationID.x;
    uint block = job.first + gl_WorkGroupID.x;
    uint sum = 0u;
    for (uint round = 0u; round < EACH; ++round) {
        uint bucket = block * BLOCK + round * GROUP_SIZE + invocation;
        sum += bucket < job.buckets ? buckets[bucket] : 0u;
    }
    sums[invocation] = sum;
    for (uint distance = GROUP_SIZE / 2u; distance > 0u; distance /= 2u) {
        barrier();
        if (invocation < distance) {
            sums[invocation] += sums[invocation + distance];
        }
    }
    if (invocation == 0u) {
        block_sums[block] = sums[0];
    }
}

#else

layout(set = 0, binding = 0, std430) buffer Buckets { uint buckets[]; };
layout(set = 0, binding = 1, std430) readonly buffer Sums { uint block_sums[]; };

// Counts, later the sums of those before in the block.
shared uint counts[BLOCK];
// Up to each invocation: of its counts, and of the blocks before.
shared uvec2 sums[GROUP_SIZE];

void main() {
    uint invocation = gl_LocalInvocationID.x;
    uint block = job.first + gl_WorkGroupID.x;
    for (uint round = 0u; round < EACH; ++round) {
        uint place = round * GROUP_SIZE + invocation;
        uint bucket = block * BLOCK + place;
        counts[place] = bucket < job.buckets ? buckets[bucket] : 0u;
    }
    uint of_blocks = 0u;
    if (job.buckets_of_column > BLOCK) {
        uint first = block & ~(job.buckets_of_column / BLOCK - 1u);
        for (uint before = first + invocation; before < block; before += GROUP_SIZE) {
            of_blocks += block_sums[before];
        }
    }
    barrier();
    uint sum = 0u;
    for (uint i = 0u; i < EACH; ++i) {
        sum += counts[invocation * EACH + i];
    }
    sums[invocation] = uvec2(sum, of_blocks);
    barrier();
    for (uint distance = 1u; distance < GROUP_SIZE; distance *= 2u) {
        uvec2 before = invocation >= distance ? sums[invocation - distance] : uvec2(0u);
        barrier();
        sums[invocation] += before;
        barrier();
    }
    uint start = sums[invocation].x - sum;
    for (uint i = 0u; i < EACH; ++i) {
        uint count = counts[invocation * EACH + i];
        counts[invocation * EACH + i] = start;
        start += count;
    }
    barrier();
    of_blocks = sums[GROUP_SIZE - 1u].y;
    uint in_column = min(job.buckets_of_column, BLOCK) - 1u;
    for (uint round = 0u; round < EACH; ++round) {
        uint place = round * GROUP_SIZE + invocation;
        uint bucket = block * BLOCK + place;
        if (bucket < job.buckets) {
            buckets[bucket] = of_blocks + counts[place] - counts[place & ~in_column];
        }
    }
}

#endif
