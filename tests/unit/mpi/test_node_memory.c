/* Memory that the ranks of a machine share. Started by itself it is of one rank; tests/mpi/test_node_memory.sh starts it on
 * three, which all make the same calls. */
#include <dirent.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "mpi/ranks/node_memory.h"
#include "tests/unit/mpi/end_mpi.h"
#include "tests/unit/vb_test.h"

static vb_comm comm;

static int open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

/* Each rank writes its part; then all see all of it, and it is the same memory: what one changes, the others find changed. */
static void every_rank_sees_what_each_has_written(void **state) {
    (void)state;
    enum { EACH = 3 << 20 };
    vb_error err = {0};
    vb_node_memory memory;
    const int before = open_descriptors();
    assert_ok(vb_node_memory_open(&memory, &comm, (size_t)EACH * (size_t)comm.size, 7, "test", &err));
    assert_non_null(memory.data);
    assert_int_equal(open_descriptors(), before);
    assert_true(memory.parts == comm.size && memory.part == comm.rank && memory.mapped == (comm.size > 1));
    unsigned char *bytes = memory.data;
    memset(bytes + (size_t)memory.part * EACH, 1 + memory.part, EACH);
    assert_ok(vb_comm_agree(&comm, 0, &err));
    for (size_t i = 0; i < (size_t)EACH * (size_t)comm.size; i += 4093) assert_int_equal(bytes[i], 1 + (int)(i / EACH));
    assert_ok(vb_comm_agree(&comm, 0, &err));
    if (comm.rank == comm.size - 1) bytes[0] = 99;
    assert_ok(vb_comm_agree(&comm, 0, &err));
    assert_int_equal(bytes[0], 99);
    vb_node_memory_close(&memory);
    assert_true(!memory.data && !memory.size);
    vb_node_memory_close(&memory);
}

/* Ranks that differ share nothing, and no rank is left waiting. */
static void there_is_none_where_ranks_differ(void **state) {
    (void)state;
    vb_error err = {0};
    vb_node_memory memory;
    assert_ok(vb_node_memory_open(&memory, &comm, 0, 7, "test", &err));
    assert_null(memory.data);
    assert_ok(vb_node_memory_open(&memory, &comm, comm.rank ? 4096 : 8192, 7, "test", &err));
    assert_true(!memory.data == (comm.size > 1));
    vb_node_memory_close(&memory);
    assert_ok(vb_node_memory_open(&memory, &comm, 4096, comm.rank, "test", &err));
    assert_true(!memory.data == (comm.size > 1));
    vb_node_memory_close(&memory);
}

/* On whichever rank memory ends, all learn of it, and nothing is left open. */
static void lack_of_memory_is_told_to_all(void **state) {
    (void)state;
    const int before = open_descriptors();
    for (int rank = 0; rank < comm.size; rank++)
        for (int nth = 1; nth <= (comm.size == 1 || rank ? 1 : 2); nth++) {
            char specification[40];
            vb_error err = {0};
            vb_node_memory memory;
            snprintf(specification, sizeof specification, comm.size == 1 ? "alloc:%d:ENOMEM" : "mmap:%d:ENOMEM", nth);
            vb_fault_setup(comm.rank == rank ? specification : NULL, 0);
            assert_fails(vb_node_memory_open(&memory, &comm, 1 << 20, 0, "test", &err), VB_EMEMORY, "test");
            vb_fault_setup(NULL, 0);
            assert_null(memory.data);
        }
    assert_int_equal(open_descriptors(), before);
}

/* A process alone has its own, without MPI. */
static void a_process_alone_needs_no_mpi(void **state) {
    (void)state;
    vb_error err = {0};
    vb_comm alone;
    vb_node_memory memory;
    assert_ok(vb_comm_open_alone(&alone, &err));
    assert_ok(vb_node_memory_open(&memory, &alone, 4096, 7, "test", &err));
    assert_true(memory.data && memory.part == 0 && memory.parts == 1 && !memory.mapped);
    vb_node_memory_close(&memory);
    vb_comm_close(&alone);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rank_sees_what_each_has_written),
                                       cmocka_unit_test(there_is_none_where_ranks_differ),
                                       cmocka_unit_test(lack_of_memory_is_told_to_all),
                                       cmocka_unit_test(a_process_alone_needs_no_mpi)};
    vb_error err = {0};
    MPI_Init(NULL, NULL);
    int status = vb_comm_open(&comm, MPI_COMM_WORLD, &err);
    if (!status) status = cmocka_run_group_tests(tests, NULL, NULL);
    vb_comm_close(&comm);
    return end_mpi(status);
}
