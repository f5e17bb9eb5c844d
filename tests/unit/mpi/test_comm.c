/* Tests of the layer over MPI where MPI itself fails: this program's MPI_Allreduce and MPI_Bcast, and those that ranks call who
 * sleep while they wait, are called first, and fail when told to; and where ScaLAPACK finds nothing. On one rank. */
#include <math.h>
#include <stdlib.h>

#include "tests/unit/mpi/end_mpi.h"
#include "tests/unit/vb_test.h"
#include "mpi/evaluate/class_shares.h"
#include "mpi/ranks/comm.h"
#include "mpi/ranks/scalapack.h"

static int reductions_before, broadcasts_before; /* calls before the one that fails; below 0: none does */

int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
    return !reductions_before-- ? MPI_ERR_OTHER : PMPI_Allreduce(from, to, count, type, op, comm);
}

int MPI_Bcast(void *bytes, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    return !broadcasts_before-- ? MPI_ERR_OTHER : PMPI_Bcast(bytes, count, type, root, comm);
}

int MPI_Iallreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm, MPI_Request *request) {
    return !reductions_before-- ? MPI_ERR_OTHER : PMPI_Iallreduce(from, to, count, type, op, comm, request);
}

int MPI_Ibcast(void *bytes, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *request) {
    return !broadcasts_before-- ? MPI_ERR_OTHER : PMPI_Ibcast(bytes, count, type, root, comm, request);
}

int MPI_Init_thread(int *count, char ***words, int wanted, int *provided) {
    (void)count, (void)words, (void)wanted, (void)provided;
    return MPI_ERR_OTHER;
}

static vb_comm comm;

static void mpi_cannot_start(void **state) {
    (void)state;
    vb_error err = {0};
    assert_fails(vb_comm_start_mpi(&err), VB_EMPI, "MPI cannot start");
}

static void agreement_itself_fails(void **state) {
    (void)state;
    vb_error err = {0};
    reductions_before = broadcasts_before = -1;
    assert_ok(vb_comm_agree(&comm, 0, &err));
    reductions_before = 0; /* that which counts alarms: the ranks still agree, on the failure */
    assert_fails(vb_comm_agree(&comm, 0, &err), VB_EMPI, "MPI_Allreduce: ");
    reductions_before = 1;
    assert_fails(vb_comm_agree(&comm, 0, &err), VB_EMPI, "the ranks cannot agree");
    broadcasts_before = 0;
    vb_error own = {0};
    assert_int_equal(vb_comm_agree(&comm, vb_errorf(&own, VB_EDATA, "a failure"), &own), -1);
    assert_int_equal(own.code, VB_EMPI);
    assert_string_equal(own.text, "the ranks cannot agree");
    own = (vb_error){0};
    assert_int_equal(vb_comm_agree(&comm, vb_errorf(&own, VB_EDATA, "a failure"), &own), -1);
    assert_string_equal(own.text, "a failure");
    own = (vb_error){0};
    assert_int_equal(vb_comm_agree(&comm, -1, &own), -1);
    assert_int_equal(own.code, VB_EINTERNAL);
    assert_string_equal(own.text, "a failure without a message");
}

static void collective_calls_fail(void **state) {
    (void)state;
    vb_error err = {0};
    int64_t values[3] = {1, 2, 3};
    char bytes[16] = "something";
    broadcasts_before = 0;
    assert_fails(vb_comm_broadcast(&comm, bytes, sizeof bytes, &err), VB_EMPI, "MPI_Bcast: ");
    reductions_before = 0;
    assert_fails(vb_comm_max(&comm, values, 3, &err), VB_EMPI, "MPI_Allreduce: ");
    reductions_before = 0;
    assert_fails(vb_comm_or_bits(&comm, values, sizeof values, &err), VB_EMPI, "MPI_Allreduce: ");
    assert_ok(vb_comm_max(&comm, values, 3, &err));
    assert_fails(vb_comm_or_blocks(&comm, bytes, bytes, (size_t)3 << 30, &err), VB_EUNSUPPORTED, "a block of 3221225472 bytes");
    void *block = bytes;
    size_t size = sizeof bytes;
    broadcasts_before = 0;
    assert_fails(vb_comm_broadcast_block(&comm, &block, &size, &err), VB_EMPI, "MPI_Bcast: ");
    broadcasts_before = 0;
    assert_fails(vb_comm_agree_same(&comm, 0, "seen", "a file", &err), VB_EMPI, "MPI_Bcast: ");
    assert_ok(vb_comm_agree_same(&comm, 0, "seen", "a file", &err));
}

static double nothing(const void *context, int i, int j) {
    (void)context, (void)i, (void)j;
    return NAN;
}

static void no_eigenvalues(void **state) {
    (void)state;
    vb_error err = {0};
    double values[4];
    assert_fails(vb_scalapack_eigenvalues(&comm, 4, nothing, NULL, values, &err), VB_EINTERNAL, "pdsyev ended with");
}

/* More than ScaLAPACK counts is refused before there is memory for it. */
static void too_many_classes(void **state) {
    (void)state;
    vb_error err = {0};
    vb_class_shares shares;
    const vb_classifier classifier = {.classes = 1 << 20, .dim = 2048};
    const vb_label_space space = {.classes = 1 << 20};
    assert_fails(vb_class_shares_open(&shares, &comm, &classifier, &space, VB_DOT, &err), VB_EUNSUPPORTED,
                 "1048576 classes of 2048 dimensions: ScaLAPACK counts up to 2^31 elements a rank, use more ranks");
    vb_class_shares_close(&shares);
}

static int begin(const char *wait) {
    vb_error err = {0};
    reductions_before = broadcasts_before = -1;
    setenv("VOCABENCH_WAIT", wait, 1);
    return vb_comm_open(&comm, MPI_COMM_WORLD, &err);
}

static int begin_spinning(void **state) {
    (void)state;
    return begin("spin");
}

static int begin_sleeping(void **state) {
    (void)state;
    return begin("sleep");
}

static int end(void **state) {
    (void)state;
    vb_comm_close(&comm);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(agreement_itself_fails), cmocka_unit_test(collective_calls_fail),
                                       cmocka_unit_test(no_eigenvalues), cmocka_unit_test(too_many_classes)},
                            first[] = {cmocka_unit_test(mpi_cannot_start)};
    int failed = cmocka_run_group_tests_name("before MPI", first, NULL, NULL);
    MPI_Init(NULL, NULL);
    failed += cmocka_run_group_tests_name("ranks that spin", tests, begin_spinning, end);
    failed += cmocka_run_group_tests_name("ranks that sleep", tests, begin_sleeping, end);
    return end_mpi(failed);
}
