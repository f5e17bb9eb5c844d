/* Building the block of pieces, and checking one that comes from a file. */
#include "kernels/text/piece_tables.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/text/charsmap.h"

enum { LONGEST_PIECE = 4096, LARGEST_ID = 1 << 24, LARGEST_TEXT = 1 << 30, SHOWN = 60 };

static const uint64_t magic = 0x3165636569700001u; /* to be changed with the layout */

/* ---- where things lie ---- */

vb_piece_layout vb_piece_tables_layout(const vb_piece_tables *tables) {
    vb_piece_layout at;
    at.scores = (const double *)(tables + 1);
    at.entries = (const vb_piece_entry *)(at.scores + tables->pieces);
    at.merges = (const vb_bpe_merge *)(at.entries + tables->pieces);
    at.steps = (const vb_text_step *)(at.merges + tables->merge_slots);
    at.slots = (const uint32_t *)(at.steps + tables->steps);
    at.units = at.slots + tables->slots;
    at.text = (const char *)(at.units + tables->units);
    at.map = at.text + tables->text_bytes;
    return at;
}

static uint64_t bytes_of(const vb_piece_tables *t) {
    return sizeof *t + t->pieces * (uint64_t)(sizeof(double) + sizeof(vb_piece_entry)) +
           t->merge_slots * (uint64_t)sizeof(vb_bpe_merge) + t->steps * (uint64_t)sizeof(vb_text_step) +
           ((uint64_t)t->slots + t->units) * sizeof(uint32_t) + t->text_bytes + (uint64_t)t->map_bytes;
}

/* ---- looking pieces up ---- */

int32_t vb_piece_tables_find(const vb_piece_tables *tables, const char *text, size_t n) {
    const vb_piece_layout at = vb_piece_tables_layout(tables);
    uint64_t hash = VB_PIECE_HASH;
    if (n > tables->longest) return -1;
    for (size_t i = 0; i < n; i++) hash = vb_piece_tables_hash(hash, text[i]);
    return vb_piece_tables_look(&at, tables->slots, hash, text, n);
}

int32_t vb_piece_tables_user(const vb_piece_tables *tables, const vb_piece_layout *at, const char *text, size_t n) {
    int32_t found = -1;
    if (!n || !(tables->user_first[(uint8_t)*text >> 3] >> ((uint8_t)*text & 7) & 1)) return -1;
    uint64_t hash = VB_PIECE_HASH;
    for (size_t i = 0; i < n && i < tables->longest_user; i++) {
        hash = vb_piece_tables_hash(hash, text[i]);
        const int32_t piece = vb_piece_tables_look(at, tables->slots, hash, text, i + 1);
        if (piece >= 0 && at->entries[piece].type == VB_PIECE_USER) found = piece;
    }
    return found;
}

/* ---- building ---- */

static uint32_t power_above(size_t n) {
    uint32_t size = 64;
    while (size < n) size *= 2;
    return size;
}

static int check_piece(const vb_piece_spec *spec, size_t i, const char *name, vb_error *err) {
    const vb_listed_piece *piece = &spec->pieces[i];
    const int shown = piece->size < SHOWN ? (int)piece->size : SHOWN;
    if (!piece->size) return vb_errorf(err, VB_EDATA, "%s: piece %zu has no text", name, i);
    if (piece->size > LONGEST_PIECE)
        return vb_errorf(err, VB_EDATA, "%s: piece %zu has %zu bytes, expected at most %d", name, i, piece->size, LONGEST_PIECE);
    if (!vb_utf8_is_text(piece->text, piece->size, NULL))
        return vb_errorf(err, VB_EDATA, "%s: piece %zu ('%.*s') is no UTF-8", name, i, shown, piece->text);
    if (!isfinite(piece->score))
        return vb_errorf(err, VB_EDATA, "%s: piece %zu ('%.*s') has the score %g, expected a number", name, i, shown, piece->text,
                         piece->score);
    if (piece->id < 0 || piece->id >= LARGEST_ID)
        return vb_errorf(err, VB_EDATA, "%s: piece '%.*s' has the id %d, expected 0 .. %d", name, shown, piece->text, piece->id,
                         LARGEST_ID - 1);
    if (piece->type < VB_PIECE_NORMAL || piece->type > VB_PIECE_BYTE)
        return vb_errorf(err, VB_EDATA, "%s: piece %zu ('%.*s') has the type %d, expected 1 .. 6", name, i, shown, piece->text,
                         (int)piece->type);
    return 0;
}

/* The sizes of the block; every piece and step is looked at. */
static int measure(vb_piece_tables *head, const vb_piece_spec *spec, const vb_charsmap *map, const char *name, vb_error *err) {
    uint64_t text = 0;
    *head = (vb_piece_tables){.magic = magic,
                              .algorithm = spec->algorithm,
                              .pieces = (uint32_t)spec->count,
                              .steps = (uint32_t)spec->step_count,
                              .units = (uint32_t)map->unit_count,
                              .map_bytes = (uint32_t)map->size,
                              .word_limit = spec->word_limit,
                              .unknown = spec->unknown < spec->count ? (int32_t)spec->unknown : -1,
                              .byte_fallback = spec->byte_fallback,
                              .fuse_unknown = spec->fuse_unknown,
                              .single_precision = spec->single_precision,
                              .whole_first = spec->whole_first,
                              .apart = spec->apart,
                              .keep_case = spec->keep_case,
                              .lowest = INFINITY};
    if (!spec->count || spec->count > LARGEST_ID)
        return vb_errorf(err, VB_EDATA, "%s: a tokenizer of %zu pieces, expected 1 to %d", name, spec->count, LARGEST_ID);
    for (size_t i = 0; i < spec->count; i++) {
        const vb_listed_piece *piece = &spec->pieces[i];
        if (check_piece(spec, i, name, err)) return -1;
        text += piece->size;
        if (piece->size > head->longest) head->longest = (uint32_t)piece->size;
        if (piece->id >= head->size) head->size = piece->id + 1;
        if (piece->type == VB_PIECE_USER) {
            if (piece->size > head->longest_user) head->longest_user = (uint32_t)piece->size;
            head->user_first[(uint8_t)*piece->text >> 3] |= (uint8_t)(1 << ((uint8_t)*piece->text & 7));
        }
        /* SentencePiece asks normal pieces what an unknown character costs, Hugging Face's library all of them. */
        if ((piece->type == VB_PIECE_NORMAL || !spec->single_precision) && piece->score < head->lowest)
            head->lowest = piece->score;
    }
    if (isinf(head->lowest)) head->lowest = 0;
    for (size_t i = 0; i < spec->step_count; i++) text += spec->steps[i].a_size + spec->steps[i].b_size;
    if (text > LARGEST_TEXT || map->size > LARGEST_TEXT || map->unit_count > LARGEST_TEXT || spec->pair_count > LARGEST_TEXT / 4)
        return vb_errorf(err, VB_EDATA, "%s: a tokenizer with more than %d bytes of pieces", name, LARGEST_TEXT);
    head->text_bytes = (uint32_t)text;
    head->slots = power_above(2 * spec->count);
    head->merge_slots = spec->pair_count ? power_above(2 * spec->pair_count) : 0;
    head->bytes = bytes_of(head);
    return 0;
}

static uint32_t keep_text(vb_piece_tables *tables, uint32_t *used, const char *text, size_t n) {
    const uint32_t at = *used;
    char *all = (char *)(uintptr_t)vb_piece_tables_layout(tables).text;
    if (n) memcpy(all + at, text, n);
    *used += (uint32_t)n;
    return at;
}

static int add_pieces(vb_piece_tables *tables, const vb_piece_spec *spec, uint32_t *used, const char *name, vb_error *err) {
    const vb_piece_layout at = vb_piece_tables_layout(tables);
    vb_piece_entry *entries = (vb_piece_entry *)(uintptr_t)at.entries;
    double *scores = (double *)(uintptr_t)at.scores;
    uint32_t *slots = (uint32_t *)(uintptr_t)at.slots;
    for (uint32_t i = 0; i < tables->slots; i++) slots[i] = VB_NO_SYMBOL;
    for (uint32_t i = 0; i < tables->pieces; i++) {
        const vb_listed_piece *piece = &spec->pieces[i];
        uint64_t hash = VB_PIECE_HASH;
        for (size_t k = 0; k < piece->size; k++) hash = vb_piece_tables_hash(hash, piece->text[k]);
        const int32_t known = vb_piece_tables_look(&at, tables->slots, hash, piece->text, piece->size);
        if (known >= 0)
            return vb_errorf(err, VB_EDATA, "%s: pieces %d and %u are both '%.*s'", name, known, i,
                             piece->size < SHOWN ? (int)piece->size : SHOWN, piece->text);
        entries[i] =
            (vb_piece_entry){keep_text(tables, used, piece->text, piece->size), (uint32_t)piece->size, piece->id, piece->type};
        scores[i] = piece->score;
        size_t slot = (size_t)((hash ^ hash >> 32) & (tables->slots - 1));
        while (slots[slot] != VB_NO_SYMBOL) slot = (slot + 1) & (tables->slots - 1);
        slots[slot] = i;
    }
    return 0;
}

/* The pieces of bytes are called <0x00> .. <0xFF>. */
static int find_bytes(vb_piece_tables *tables, const char *name, vb_error *err) {
    for (int b = 0; b < 256; b++) {
        static const char digits[] = "0123456789ABCDEF";
        const char text[] = {'<', '0', 'x', digits[b >> 4], digits[b & 15], '>', 0};
        tables->byte_pieces[b] = vb_piece_tables_find(tables, text, sizeof text - 1);
        if (tables->byte_pieces[b] < 0 && tables->byte_fallback)
            return vb_errorf(err, VB_EMISMATCH, "%s: characters fall back to bytes, but there is no piece %s", name, text);
    }
    return 0;
}

static int add_pairs(vb_piece_tables *tables, const vb_piece_spec *spec, const char *name, vb_error *err) {
    vb_bpe_merge *merges = (vb_bpe_merge *)(uintptr_t)vb_piece_tables_layout(tables).merges;
    char joined[2 * LONGEST_PIECE];
    for (uint32_t i = 0; i < tables->merge_slots; i++) merges[i] = (vb_bpe_merge){.left = VB_NO_SYMBOL};
    for (size_t rank = 0; rank < spec->pair_count; rank++) {
        const vb_piece_pair *pair = &spec->pairs[rank];
        const int32_t left = vb_piece_tables_find(tables, pair->left, pair->left_size),
                      right = vb_piece_tables_find(tables, pair->right, pair->right_size);
        int32_t product = -1;
        if (left >= 0 && right >= 0) {
            memcpy(joined, pair->left, pair->left_size);
            memcpy(joined + pair->left_size, pair->right, pair->right_size);
            product = vb_piece_tables_find(tables, joined, pair->left_size + pair->right_size);
        }
        if (product < 0)
            return vb_errorf(err, VB_EMISMATCH, "%s: merge %zu ('%.*s' and '%.*s'): %s not in the vocabulary", name, rank,
                             pair->left_size < SHOWN ? (int)pair->left_size : SHOWN, pair->left,
                             pair->right_size < SHOWN ? (int)pair->right_size : SHOWN, pair->right,
                             left < 0  ? "the first is" :
                             right < 0 ? "the second is" :
                                         "their join is");
        size_t slot = vb_bpe_merge_slot(merges, tables->merge_slots, (uint32_t)left, (uint32_t)right);
        merges[slot] = (vb_bpe_merge){(uint32_t)left, (uint32_t)right, (uint32_t)rank, (uint32_t)product};
    }
    return 0;
}

static void add_steps(vb_piece_tables *tables, const vb_piece_spec *spec, uint32_t *used) {
    vb_text_step *steps = (vb_text_step *)(uintptr_t)vb_piece_tables_layout(tables).steps;
    for (size_t i = 0; i < spec->step_count; i++) {
        const vb_step_spec *step = &spec->steps[i];
        const uint32_t a = keep_text(tables, used, step->a, step->a_size), b = keep_text(tables, used, step->b, step->b_size);
        steps[i] = (vb_text_step){step->kind, step->flags, a, (uint32_t)step->a_size, b, (uint32_t)step->b_size};
    }
}

vb_piece_tables *vb_piece_tables_make(const vb_piece_spec *spec, const char *name, vb_error *err) {
    vb_piece_tables head, *tables = NULL;
    vb_charsmap map = {0};
    uint32_t *units = NULL, used = 0;
    bool made = false;
    if (spec->charsmap_size && vb_charsmap_read(&map, &units, spec->charsmap, spec->charsmap_size, name, err)) goto done;
    if (measure(&head, spec, &map, name, err)) goto done;
    if (!(tables = vb_array(head.bytes, 1, "tokenizer", err))) goto done;
    *tables = head;
    if (add_pieces(tables, spec, &used, name, err) || find_bytes(tables, name, err) || add_pairs(tables, spec, name, err))
        goto done;
    add_steps(tables, spec, &used);
    const vb_piece_layout at = vb_piece_tables_layout(tables);
    if (map.unit_count) memcpy((uint32_t *)(uintptr_t)at.units, units, map.unit_count * sizeof *units);
    if (map.size) memcpy((char *)(uintptr_t)at.map, map.replacements, map.size);
    made = true;
done:
    vb_free(units);
    if (made) return tables;
    vb_free(tables);
    return NULL;
}

/* ---- blocks from files ---- */

static bool pieces_are_sound(const vb_piece_tables *t, const vb_piece_layout *at) {
    uint64_t free_slots = 0;
    for (uint32_t i = 0; i < t->pieces; i++) {
        const vb_piece_entry *entry = &at->entries[i];
        if (entry->at > t->text_bytes || entry->size > t->text_bytes - entry->at || !entry->size || entry->size > t->longest ||
            entry->id < 0 || entry->id >= t->size || !isfinite(at->scores[i]))
            return false;
    }
    for (uint32_t i = 0; i < t->slots; i++) {
        if (at->slots[i] == VB_NO_SYMBOL) free_slots++;
        else if (at->slots[i] >= t->pieces) return false;
    }
    return free_slots > 0;
}

static bool merges_are_sound(const vb_piece_tables *t, const vb_piece_layout *at) {
    uint64_t free_slots = 0;
    for (uint32_t i = 0; i < t->merge_slots; i++) {
        const vb_bpe_merge *merge = &at->merges[i];
        if (merge->left == VB_NO_SYMBOL) free_slots++;
        else if (merge->left >= t->pieces || merge->right >= t->pieces || merge->product >= t->pieces) return false;
    }
    return !t->merge_slots || free_slots > 0;
}

static bool is_power(uint32_t n) { return n && !(n & (n - 1)); }

bool vb_piece_tables_are_sound(const void *bytes, size_t size) {
    const vb_piece_tables *t = bytes;
    if (size < sizeof *t || t->magic != magic || t->bytes != size || bytes_of(t) != size) return false;
    if (!is_power(t->slots) || (t->merge_slots && !is_power(t->merge_slots)) || t->algorithm > VB_PIECES_WORDS) return false;
    if (!t->pieces || t->size < 1 || t->unknown < -1 || t->unknown >= (int64_t)t->pieces || t->longest > LONGEST_PIECE ||
        t->longest_user > t->longest)
        return false;
    for (int b = 0; b < 256; b++)
        if (t->byte_pieces[b] < (t->byte_fallback ? 0 : -1) || t->byte_pieces[b] >= (int64_t)t->pieces) return false;
    const vb_piece_layout at = vb_piece_tables_layout(t);
    for (uint32_t i = 0; i < t->steps; i++) {
        const vb_text_step *step = &at.steps[i];
        if (step->kind >= VB_STEPS || step->a > t->text_bytes || step->a_size > t->text_bytes - step->a ||
            step->b > t->text_bytes || step->b_size > t->text_bytes - step->b ||
            (step->kind == VB_STEP_METASPACE && !step->a_size))
            return false;
    }
    if (t->map_bytes && at.map[t->map_bytes - 1]) return false;
    return pieces_are_sound(t, &at) && merges_are_sound(t, &at);
}
