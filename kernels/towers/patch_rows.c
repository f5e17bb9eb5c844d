/* Sources: transformers 5.24 modeling_siglip2.py (resize_positional_embeddings, which is torch's interpolate with bilinear
 * weights and antialiasing), image_processing_siglip2.py (convert_image_to_patches). */
#include "kernels/towers/patch_rows.h"

#include <math.h>
#include <string.h>

/* The picture that a row is of. */
static int64_t picture_of(const vb_patch_rows *rows, int64_t row) {
    int64_t low = 0, high = rows->count; /* its first row is starts[low] or behind, and before starts[high] */
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        *(rows->starts[middle] <= row ? &low : &high) = middle;
    }
    return low;
}

void vb_patch_rows_row(const void *context, int64_t row, int64_t first, int64_t count, float *out) {
    const vb_patch_rows *rows = context;
    const int64_t picture = picture_of(rows, row), at = row - rows->starts[picture], patch = rows->patch;
    const vb_patch_grid *grid = &rows->grids[picture];
    const int64_t width = grid->columns * patch, plane = grid->rows * patch * width;
    const float *from = rows->pixels + picture * rows->stride + at / grid->columns * patch * width + at % grid->columns * patch;
    int64_t channel = first % 3, x = first / 3 % patch, y = first / 3 / patch;
    for (int64_t i = 0; i < count; i++) {
        out[i] = from[channel * plane + y * width + x];
        if (++channel < 3) continue;
        channel = 0;
        if (++x < patch) continue;
        x = 0;
        y++;
    }
}

/* The weight of the table's cell k for cell `at` of `count`. */
static double triangle(int side, int count, int at, int k) {
    const double scale = (double)side / count, centre = (at + 0.5) * scale - 0.5;
    return fmax(0, 1 - fabs(k - centre) / fmax(scale, 1));
}

static double sum_of_triangle(int side, int count, int at) {
    double sum = 0;
    for (int k = 0; k < side; k++) sum += triangle(side, count, at, k);
    return sum;
}

static void resize_cell(const float *table, int side, int width, const vb_patch_grid *grid, int row, int column, float *out) {
    const double sum = sum_of_triangle(side, grid->rows, row) * sum_of_triangle(side, grid->columns, column);
    memset(out, 0, (size_t)width * sizeof *out);
    for (int y = 0; y < side; y++) {
        const double of_row = triangle(side, grid->rows, row, y);
        for (int x = 0; of_row > 0 && x < side; x++) {
            const float weight = (float)(of_row * triangle(side, grid->columns, column, x) / sum);
            const float *cell = table + ((int64_t)y * side + x) * width;
            if (weight > 0)
                for (int j = 0; j < width; j++) out[j] += weight * cell[j];
        }
    }
}

void vb_patch_rows_positions(const float *table, int side, int width, const vb_patch_grid *grid, float *out) {
    for (int row = 0; row < grid->rows; row++)
        for (int column = 0; column < grid->columns; column++, out += width)
            resize_cell(table, side, width, grid, row, column, out);
}
