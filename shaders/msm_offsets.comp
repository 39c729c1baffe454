// Of how many entries each bucket has, where it starts in its column: the sums of the
// counts before it. A workgroup takes a column of 2^k buckets.
//
// The loops take 256 rounds at most: a column has 2^16 buckets at most.

#version 460

#define GROUP_SIZE 256u

layout(local_size_x = 256) in;

layout(set = 0, binding = 0, std430) buffer Buckets { uint buckets[]; };

layout(push_constant) uniform Job {
    uint buckets_of_column;
    // The number of this dispatch's first column.
    uint first;
} job;

shared uint sums[GROUP_SIZE];

void main() {
    uint invocation = gl_LocalInvocationID.x;
    uint each = (job.buckets_of_column + GROUP_SIZE - 1u) / GROUP_SIZE;
    uint begin = min(invocation * each, job.buckets_of_column);
    uint end = min(begin + each, job.buckets_of_column);
    uint column = (job.first + gl_WorkGroupID.x) * job.buckets_of_column;
    uint sum = 0u;
    for (uint bucket = begin; bucket < end; ++bucket) {
        sum += buckets[column + bucket];
    }
    sums[invocation] = sum;
    barrier();
    for (uint distance = 1u; distance < GROUP_SIZE; distance *= 2u) {
        uint before = invocation >= distance ? sums[invocation - distance] : 0u;
        barrier();
        sums[invocation] += before;
        barrier();
    }
    uint start = sums[invocation] - sum;
    for (uint bucket = begin; bucket < end; ++bucket) {
        uint entries = buckets[column + bucket];
        buckets[column + bucket] = start;
        start += entries;
    }
}
