/* Where a tower's time goes: each of its operations timed by itself, over a batch, as the engine runs it. */
#include "tests/bench/operations.h"

#include <stdio.h>

#include "kernels/base/memory.h"
#include "kernels/towers/cpu_operations.h"
#include "tests/bench/median.h"
#include "tests/bench/peak.h"

/* A line an operation: milliseconds an image, share of the tower, GFLOP/s, and what it is. seconds: operations x runs. */
static void operations_print(const vb_program *program, int batch, int runs, double *seconds, double peak) {
    double whole = 0;
    for (int i = 0; i < program->count; i++) whole += median(seconds + (size_t)i * (size_t)runs, runs);
    printf("%10s %7s %8s   %d images, %.3f ms an image, %.1f GFLOP/s of %.1f\n", "ms/image", "share", "GFLOP/s", batch,
           1e3 * whole / batch, vb_program_flops(program, 0) * batch / whole * 1e-9, peak);
    for (int i = 0; i < program->count; i++) {
        char text[256];
        double median = seconds[(size_t)i * (size_t)runs + (size_t)(runs / 2)];
        vb_program_print(program, i, 0, text, sizeof text);
        printf("%10.4f %5.1f %% %8.1f   %s\n", 1e3 * median / batch, 100 * median / whole,
               vb_program_operation_flops(program, i, 0) * batch / median * 1e-9, text);
    }
    puts("end");
}

int operations_time(const vb_program *program, const float *pixels, int batch, int runs, float *out, int threads, vb_error *err) {
    const size_t count = (size_t)batch + 1;
    float *work = vb_buffer(vb_program_floats(program, batch, 0), sizeof *work, "encoder's work space", err);
    int64_t *rows = vb_array(3 * count, sizeof *rows, "offsets of the items", err);
    double *seconds = vb_array((size_t)program->count * (size_t)runs, sizeof *seconds, "timings", err);
    double *peaks = vb_array((size_t)runs, sizeof *peaks, "timings", err);
    int status = work && rows && seconds && peaks ? 0 : -1;
    const vb_piece piece = {.program = program,
                            .pixels = pixels,
                            .count = batch,
                            .starts = rows,
                            .keys = rows ? rows + count : NULL,
                            .queries = rows ? rows + 2 * count : NULL,
                            .work = work,
                            .out = out,
                            .threads = threads};
    for (int run = -1; !status && run < runs; run++) {
        if (run >= 0) peaks[run] = fma_peak(threads);
        for (int i = 0; !status && i < program->count; i++) {
            const vb_operation *operation = &program->operations[i];
            double start = bench_seconds(threads);
            status = vb_cpu_operations[operation->kind](&piece, operation, err);
            if (run >= 0) seconds[(size_t)i * (size_t)runs + (size_t)run] = bench_seconds(threads) - start;
        }
    }
    if (!status) operations_print(program, batch, runs, seconds, median(peaks, runs));
    vb_free(work), vb_free(rows), vb_free(seconds), vb_free(peaks);
    return status;
}
