/* `vocabench devices`: what OpenCL offers on this machine, and whether it gives the CPU's bytes. */
#include <stdio.h>

#include "kernels/base/memory.h"
#include "mpi/base/device.h"
#include "mpi/command/cmd.h"

const vb_flag vb_cmd_devices_flags[] = {
    {0},
};

const char vb_cmd_devices_details[] =
    "For each device: memory, compute units, driver, and the check that every run makes before it uses one: small programs of\n"
    "every operation, and a search, held against the CPU bit for bit. `run --device gpu` uses the first of them for rank 0 of\n"
    "a machine, the next for rank 1, and so on in turn. Drivers honour CUDA_VISIBLE_DEVICES, ROCR_VISIBLE_DEVICES and their\n"
    "like.";

int vb_cmd_devices(const vb_command *commands, const vb_arguments *arguments, vb_error *err) {
    (void)commands;
    (void)arguments;
    if (!vb_context_is_first_rank()) return 0;
    vb_gpu_device_info *list;
    int count;
    if (vb_gpu_device_list(&list, &count, err)) return -1;
    if (!count) {
        vb_gpu_device *none;
        return vb_gpu_device_open(&none, 0, NULL, err); /* which says what to install */
    }
    for (int i = 0; i < count; i++) {
        char found[1024], tiles[VB_GPU_TILES_TEXT + 16];
        const vb_gpu_device_info *info = &list[i];
        printf("%s%d  %s (%s)\n", i ? "\n" : "", i, info->name, info->vendor);
        printf("   kind      %s\n", info->processor ? "processor" : "GPU or accelerator");
        printf("   driver    %s, %s (%s)\n", info->version, info->driver, info->platform);
        printf("   memory    %.1f GiB, buffers up to %.1f GiB, %llu KiB local\n", (double)info->memory / 0x1p30,
               (double)info->largest_buffer / 0x1p30, (unsigned long long)(info->local_memory >> 10));
        printf("   units     %d at %d MHz\n", info->units, info->mhz);
        printf("   fp32      subnormal numbers %s, division %s\n", info->subnormals ? "kept" : "not promised",
               info->divides ? "correctly rounded" : "through fp64");
        fflush(stdout);
        vb_device_try(i, tiles, found, sizeof found);
        if (*tiles) printf("   tiles     %s\n", tiles);
        printf("   check     %s\n", found);
    }
    vb_free(list);
    return 0;
}
