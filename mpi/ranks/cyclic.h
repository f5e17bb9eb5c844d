/* The block-cyclic split of rows or columns among ranks, as ScaLAPACK has it: block 0 to rank 0, block 1 to rank 1, and round
 * again. All local. */
#ifndef VB_CYCLIC_H
#define VB_CYCLIC_H

enum { VB_CYCLIC_BLOCK = 64 };

int vb_cyclic_count(int total, int rank, int ranks);  /* how many of `total` a rank has */
int vb_cyclic_index(int local, int rank, int ranks);  /* which of all its `local`-th one is */
int vb_cyclic_place(int index, int ranks, int *rank); /* the reverse: which rank has it, and its place there */

#endif
