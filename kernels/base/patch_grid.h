/* A picture of any shape as rows and columns of square patches. */
#ifndef VB_PATCH_GRID_H
#define VB_PATCH_GRID_H

typedef struct vb_patch_grid {
    int rows, columns; /* both at least 1 */
} vb_patch_grid;

#endif
