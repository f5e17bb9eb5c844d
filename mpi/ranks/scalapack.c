/* A BLACS grid over the ranks and the calls of ScaLAPACK on it. */
#include "mpi/ranks/scalapack.h"

#include <assert.h>
#include <stdbool.h>

#include "kernels/base/memory.h"
#include "mpi/ranks/context.h"
#include "mpi/ranks/cyclic.h"

/* ScaLAPACK ships no C header: its Fortran routines and the C interface of BLACS, as the reference implementation declares
 * them. */
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *grid, const char *order, int rows, int columns);
void Cblacs_gridinfo(int grid, int *rows, int *columns, int *row, int *column);
void Cblacs_gridexit(int grid);
int numroc_(const int *n, const int *block, const int *process, const int *source, const int *processes);
void descinit_(int *descriptor, const int *m, const int *n, const int *row_block, const int *column_block, const int *row_source,
               const int *column_source, const int *grid, const int *leading, int *info);
void pdsyev_(const char *job, const char *triangle, const int *n, double *a, const int *row, const int *column,
             const int *descriptor, double *values, double *vectors, const int *vectors_row, const int *vectors_column,
             const int *vectors_descriptor, double *work, const int *size, int *info, size_t job_length, size_t triangle_length);
void psgemm_(const char *a_form, const char *b_form, const int *m, const int *n, const int *k, const float *alpha, const float *a,
             const int *a_row, const int *a_column, const int *a_descriptor, const float *b, const int *b_row,
             const int *b_column, const int *b_descriptor, const float *beta, float *c, const int *c_row, const int *c_column,
             const int *c_descriptor, size_t a_length, size_t b_length);

enum { BLOCK = VB_CYCLIC_BLOCK };

static const int zero = 0, one = 1;

/* A grid that uses every rank where the matrix has blocks for it: as square as that allows. */
static void choose_shape(int ranks, int n, int *rows, int *columns) {
    int most = (n + BLOCK - 1) / BLOCK, best = 0;
    *rows = *columns = 1;
    for (int r = 1; r <= ranks && r <= most; r++) {
        int c = ranks / r < most ? ranks / r : most, uneven = r > c ? r - c : c - r;
        if (r * c * 1000 - uneven > best) {
            best = r * c * 1000 - uneven;
            *rows = r;
            *columns = c;
        }
    }
}

/* One rank's part of a block-cyclic symmetric matrix. */
typedef struct part {
    int n, grid;
    int rows, columns, row, column; /* shape of the grid, this rank's place in it */
    int local_rows, local_columns;
    int descriptor[9];
    double *a, *work;
    int words;
} part;

static int eigenvalues(part *m, double *values, double *work, int words, vb_error *err) {
    double vectors = 0; /* none are asked for */
    int info = 0;
    pdsyev_("N", "L", &m->n, m->a, &one, &one, m->descriptor, values, &vectors, &one, &one, m->descriptor, work, &words, &info, 1,
            1);
    return info ? vb_errorf(err, VB_EINTERNAL, "ScaLAPACK: pdsyev ended with %d", info) : 0;
}

/* Everything that can fail on one rank only comes before the first call that needs all of them. */
static int allocate(part *m, vb_error *err) {
    int block = BLOCK, leading, info;
    Cblacs_gridinfo(m->grid, &m->rows, &m->columns, &m->row, &m->column);
    m->local_rows = vb_cyclic_count(m->n, m->row, m->rows);
    m->local_columns = vb_cyclic_count(m->n, m->column, m->columns);
    leading = m->local_rows > 0 ? m->local_rows : 1;
    descinit_(m->descriptor, &m->n, &m->n, &block, &block, &zero, &zero, &m->grid, &leading, &info);
    assert(!info);
    size_t elements = (size_t)m->local_rows * (size_t)m->local_columns;
    m->a = vb_array(elements ? elements : 1, sizeof *m->a, "block-cyclic matrix", err);
    return m->a ? 0 : -1;
}

/* Asks how much work space the call needs, and gets it. */
static int allocate_work(part *m, double *values, vb_error *err) {
    double size = 0;
    if (eigenvalues(m, values, &size, -1, err)) return -1;
    m->words = (int)size + BLOCK;
    m->work = vb_array((size_t)m->words, sizeof *m->work, "work space of ScaLAPACK", err);
    return m->work ? 0 : -1;
}

/* The communicator of a grid over the ranks of `comm`: BLACS is made of MPI, also where a process is alone. */
static int get_communicator(const vb_comm *comm, MPI_Comm *mpi, vb_error *err) {
    *mpi = comm->mpi;
    if (comm->mpi != MPI_COMM_NULL) return 0;
    if (vb_comm_start_mpi(err)) return -1;
    vb_context_keep_signals();
    *mpi = MPI_COMM_SELF;
    return 0;
}

int vb_scalapack_eigenvalues(vb_comm *comm, int n, double (*element)(const void *context, int i, int j), const void *context,
                             double *values, vb_error *err) {
    MPI_Comm mpi;
    if (vb_comm_agree(comm, get_communicator(comm, &mpi, err), err)) return -1;
    int handle = Csys2blacs_handle(mpi);
    part m = {.n = n, .grid = handle};
    choose_shape(comm->size, n, &m.rows, &m.columns);
    bool member = comm->rank < m.rows * m.columns;
    Cblacs_gridinit(&m.grid, "Row", m.rows, m.columns);
    int status = vb_comm_agree(comm, member ? allocate(&m, err) : 0, err);
    if (!status) {
        for (int j = 0; j < m.local_columns; j++)
            for (int i = 0; i < m.local_rows; i++)
                m.a[(size_t)j * (size_t)m.local_rows + (size_t)i] =
                    element(context, vb_cyclic_index(i, m.row, m.rows), vb_cyclic_index(j, m.column, m.columns));
        status = vb_comm_agree(comm, member ? allocate_work(&m, values, err) : 0, err);
    }
    if (!status) status = vb_comm_agree(comm, member ? eigenvalues(&m, values, m.work, m.words, err) : 0, err);
    if (member) Cblacs_gridexit(m.grid);
    Cfree_blacs_system_handle(handle);
    vb_free(m.a);
    vb_free(m.work);
    if (!status) status = vb_comm_broadcast(comm, values, (size_t)n * sizeof *values, err);
    for (int i = 0; i < n / 2 && !status; i++) { /* ascending to descending */
        double last = values[n - 1 - i];
        values[n - 1 - i] = values[i];
        values[i] = last;
    }
    return status;
}

/* ---- products ---- */

static int describe(vb_product *product, vb_error *err) {
    int info[3], block = BLOCK, slice = (product->depth + product->ranks - 1) / product->ranks;
    product->local_depth = numroc_(&product->depth, &slice, &product->rank, &zero, &product->ranks);
    product->first_depth = product->rank * slice;
    product->local_columns = vb_cyclic_count(product->columns, product->rank, product->ranks);
    descinit_(product->left, &product->rows, &product->depth, &product->rows, &slice, &zero, &zero, &product->grid,
              &product->rows, &info[0]);
    descinit_(product->right, &product->depth, &product->columns, &product->depth, &block, &zero, &zero, &product->grid,
              &product->depth, &info[1]);
    descinit_(product->result, &product->rows, &product->columns, &product->rows, &block, &zero, &zero, &product->grid,
              &product->rows, &info[2]);
    assert(!info[0] && !info[1] && !info[2]);
    size_t elements = (size_t)product->rows * (size_t)product->local_depth;
    product->slice = vb_array(elements, sizeof *product->slice, "images of a product", err);
    return product->slice ? 0 : -1;
}

/* A grid of one row: rows (a block of images) and depth are small beside columns (classes). With one large dimension of three it
 * is optimal to cut that one alone (Demmel et al. 2013, Communication-optimal parallel recursive rectangular matrix
 * multiplication): only the small matrix travels. */
int vb_scalapack_product_open(vb_product *product, vb_comm *comm, int rows, int columns, int depth, vb_error *err) {
    MPI_Comm mpi;
    *product = (vb_product){0};
    if (vb_comm_agree(comm, get_communicator(comm, &mpi, err), err)) return -1;
    *product = (vb_product){.rows = rows, .columns = columns, .depth = depth, .ranks = comm->size, .rank = comm->rank};
    product->handle = product->grid = Csys2blacs_handle(mpi);
    Cblacs_gridinit(&product->grid, "Row", 1, comm->size);
    return vb_comm_agree(comm, describe(product, err), err);
}

void vb_scalapack_product_close(vb_product *product) {
    if (product->ranks) {
        Cblacs_gridexit(product->grid);
        Cfree_blacs_system_handle(product->handle);
    }
    vb_free(product->slice);
    *product = (vb_product){0};
}

void vb_scalapack_product_multiply(const vb_product *product, const float *a, const float *b, float *out) {
    static const float alpha = 1, beta = 0;
    for (int k = 0; k < product->local_depth; k++)
        for (int i = 0; i < product->rows; i++)
            product->slice[(size_t)k * (size_t)product->rows + (size_t)i] =
                a[(size_t)i * (size_t)product->depth + (size_t)(product->first_depth + k)];
    psgemm_("N", "N", &product->rows, &product->columns, &product->depth, &alpha, product->slice, &one, &one, product->left, b,
            &one, &one, product->right, &beta, out, &one, &one, product->result, 1, 1);
}
