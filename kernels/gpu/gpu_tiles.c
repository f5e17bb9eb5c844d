/* The tables, and choices as texts. */
#include "kernels/gpu/gpu_tiles.h"

#include <stdio.h>
#include <string.h>

#include "kernels/gpu/gpu_work.h"

#define GPUS (1u << VB_GPU_NVIDIA | 1u << VB_GPU_AMD | 1u << VB_GPU_INTEL | 1u << VB_GPU_OTHER)
#define ON(maker) (1u << VB_GPU_##maker)

/* Of a maker's rows the first is what goes unmeasured. docs/measurements.md has what each takes of a device's registers and local
 * memory. */
static const vb_gpu_tile tiles[] = {
    {128, 128, 16, 8, 8, ON(NVIDIA)},              /* 256 items, 34 KB */
    {128, 128, 8, 8, 8, GPUS},                     /* 17 KB: more than one group where 64 KB are all there is */
    {128, 64, 16, 8, 8, GPUS},                     /* 128 items: twice the groups, for products that do not fill a device */
    {64, 64, 16, 8, 8, GPUS & ~ON(INTEL)},         /* 64 items: one wave of AMD's */
    {64, 64, 16, 4, 4, GPUS | ON(PROCESSOR)},      /* 256 items of few registers */
    {32, 64, 16, 4, 8, ON(INTEL) | ON(PROCESSOR)}, /* 64 items */
    {32, 32, 16, 4, 4, ON(INTEL)}                  /* 64 items of few registers */
};
enum { TILES = sizeof tiles / sizeof *tiles };

static const vb_gpu_group attention[] = {{64, GPUS | ON(PROCESSOR)}, {128, GPUS & ~ON(INTEL)}, {32, ON(INTEL) | ON(PROCESSOR)}};
enum { ATTENTION = sizeof attention / sizeof *attention };

static const char *const shape_names[] = {[VB_GPU_LARGE] = "large", [VB_GPU_SHORT] = "short", [VB_GPU_NARROW] = "narrow"};

const vb_gpu_tile *vb_gpu_tiles_table(int *count) {
    *count = TILES;
    return tiles;
}

const vb_gpu_group *vb_gpu_tiles_attention(int *count) {
    *count = ATTENTION;
    return attention;
}

static vb_gpu_maker maker_of(const vb_gpu_device_info *info) {
    static const struct {
        const char *word;
        vb_gpu_maker maker;
    } words[] = {{"NVIDIA", VB_GPU_NVIDIA}, {"Advanced Micro Devices", VB_GPU_AMD}, {"AMD", VB_GPU_AMD}, {"Intel", VB_GPU_INTEL}};
    if (info->processor) return VB_GPU_PROCESSOR;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(info->vendor, words[i].word)) return words[i].maker;
    return VB_GPU_OTHER;
}

static int items_of(const vb_gpu_tile *tile) { return tile->rows / tile->item_rows * (tile->columns / tile->item_columns); }

bool vb_gpu_tiles_fit(const vb_gpu_device *device, const vb_gpu_tile *tile) {
    const size_t local = 2 * (size_t)tile->depth * (size_t)(tile->rows + tile->columns + 8) * sizeof(float);
    return items_of(tile) <= device->info.group_size && local <= device->info.local_memory;
}

bool vb_gpu_tiles_tried(const vb_gpu_device *device, int tile) {
    return tiles[tile].makers >> maker_of(&device->info) & 1 && vb_gpu_tiles_fit(device, &tiles[tile]);
}

bool vb_gpu_tiles_attention_tried(const vb_gpu_device *device, int size) {
    return attention[size].makers >> maker_of(&device->info) & 1 && attention[size].items <= device->info.group_size;
}

void vb_gpu_tiles_default(vb_gpu_device *device) {
    int first = 0; /* one fits: vb_gpu_device_open asks for more than the small ones need */
    while (first < TILES - 1 && !vb_gpu_tiles_tried(device, first)) first++;
    for (int shape = 0; shape < VB_GPU_SHAPES; shape++) device->choice.tile[shape][0] = device->choice.tile[shape][1] = first;
    device->choice.attention = 0;
}

const vb_gpu_tile *vb_gpu_tiles_of(const vb_gpu_device *device, uint64_t rows, int columns, bool half) {
    enum { NARROW = 96, SHORT = 1024 };
    const vb_gpu_shape shape = columns < NARROW ? VB_GPU_NARROW : rows < SHORT ? VB_GPU_SHORT : VB_GPU_LARGE;
    return &tiles[device->choice.tile[shape][half]];
}

/* ---- the choice as a text ---- */

static void name_of(const vb_gpu_tile *tile, char name[32]) {
    snprintf(name, 32, "%dx%dx%d/%dx%d", tile->rows, tile->columns, tile->depth, tile->item_rows, tile->item_columns);
}

void vb_gpu_tiles_write(const vb_gpu_device *device, char text[VB_GPU_TILES_TEXT]) {
    int at = 0;
    for (int shape = 0; shape < VB_GPU_SHAPES; shape++) {
        char names[2][32];
        for (int half = 0; half < 2; half++) name_of(&tiles[device->choice.tile[shape][half]], names[half]);
        at += snprintf(text + at, (size_t)(VB_GPU_TILES_TEXT - at), "%s %s %s\n", shape_names[shape], names[0], names[1]);
    }
    snprintf(text + at, (size_t)(VB_GPU_TILES_TEXT - at), "attention %d\n", attention[device->choice.attention].items);
}

static int find_tile(const vb_gpu_device *device, const char *name) {
    for (int i = 0; i < TILES; i++) {
        char own[32];
        name_of(&tiles[i], own);
        if (!strcmp(own, name) && vb_gpu_tiles_tried(device, i)) return i;
    }
    return -1;
}

bool vb_gpu_tiles_read(vb_gpu_device *device, const char *text) {
    const vb_gpu_choice before = device->choice;
    bool whole = true;
    const char *line = text;
    for (int shape = 0; shape < VB_GPU_SHAPES && whole; shape++) {
        char word[16], names[2][32];
        whole = sscanf(line, "%15s %31s %31s", word, names[0], names[1]) == 3;
        for (int half = 0; half < 2 && whole; half++) {
            const int tile = find_tile(device, names[half]);
            whole = tile >= 0;
            if (whole) device->choice.tile[shape][half] = tile;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    int items = 0;
    whole = whole && sscanf(line, "attention %d", &items) == 1;
    for (device->choice.attention = 0; whole && device->choice.attention < ATTENTION; device->choice.attention++)
        if (attention[device->choice.attention].items == items && vb_gpu_tiles_attention_tried(device, device->choice.attention))
            break;
    whole = whole && device->choice.attention < ATTENTION;
    if (whole) { /* what else it may have had is not written again */
        char again[VB_GPU_TILES_TEXT];
        vb_gpu_tiles_write(device, again);
        whole = !strcmp(again, text);
    }
    if (!whole) device->choice = before;
    return whole;
}
