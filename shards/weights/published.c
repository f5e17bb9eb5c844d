/* Sums of hubs beside files, and those of OpenAI's release. Sources: huggingface_hub's _local_folder.py and file_download.py (a
 * blob is named after its ETag, of LFS files their SHA-256); Git LFS's specification (objects lie under their oid);
 * github.com/openai/CLIP, clip/clip.py (the addresses hold the sums); open_clip 3.3, pretrained.py (names of release files end in
 * the first eight digits, which it compares); of hub files public code that pins them: docs/models.md names it. */
#include "shards/weights/published.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

const char *const vb_published_words[] = {
    [VB_PUBLISHED_NOT_KNOWN] = "not known", [VB_PUBLISHED_MATCH] = "match", [VB_PUBLISHED_DIFFERS] = "differs"};

static const char openai[] = "OpenAI's address of the file", hub[] = "the hub's sum, as public code pins it",
                  release[] = "open_clip's address of the file";
#define HUB(repository) hub, "https://huggingface.co/" repository "/resolve/main"
#define RELEASE release, "https://github.com/mlfoundations/open_clip/releases/download/v0.2-weights"
static const vb_published_row table[] = {
    {"afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762", "RN50.pt", openai, NULL},
    {"8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599", "RN101.pt", openai, NULL},
    {"7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd", "RN50x4.pt", openai, NULL},
    {"52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa", "RN50x16.pt", openai, NULL},
    {"be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c", "RN50x64.pt", openai, NULL},
    {"40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af", "ViT-B-32.pt", openai, NULL},
    {"5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f", "ViT-B-16.pt", openai, NULL},
    {"b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836", "ViT-L-14.pt", openai, NULL},
    {"3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02", "ViT-L-14-336px.pt", openai, NULL},
    {"a63082132ba4f97a80bea76823f544493bffa8082296d62d71581a4feff1576f", "pytorch_model.bin",
     HUB("openai/clip-vit-base-patch32")},
    {"ec89c7b09c749a60aae3c9cd910516f24b58214a7df060b48962d14c469cfbf0", "pytorch_model.bin",
     HUB("openai/clip-vit-base-patch16")},
    {"a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb", "model.safetensors",
     HUB("openai/clip-vit-large-patch14")},
    {"ac4f8c4b88af6d963118cbf40ad93176d092abbedfcb752601ae1866352656e6", "open_clip_model.safetensors",
     HUB("laion/CLIP-ViT-B-32-laion2B-s34B-b79K")},
    {"3c00043509d2e3f35ec62bd85a643a393883dcda624d8208d034cc390c708297", "open_clip_model.safetensors",
     HUB("laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K")},
    {"5ddb47339f44e4fd9cace3d3960d38af1b51a25857440cfae90afc44706d7e2b", "open_clip_pytorch_model.bin",
     HUB("laion/CLIP-ViT-L-14-laion2B-s32B-b82K")},
    {"9a78ef8e8c73fd0df621682e7a8e8eb36c6916cb3c16b291a082ecd52ab79cc4", "open_clip_pytorch_model.bin",
     HUB("laion/CLIP-ViT-H-14-laion2B-s32B-b79K")},
    {"0d5318839ad03607c48055c45897c655a14c0276a79f6b867934ddd073760e39", "open_clip_pytorch_model.bin",
     HUB("laion/CLIP-ViT-bigG-14-laion2B-39B-b160k")},
    {"73725652298ad76ed2162caffdae96d8653a05d7a29b6281103e4df81d0ff8ea", "open_clip_pytorch_model.bin",
     HUB("laion/CoCa-ViT-L-14-laion2B-s13B-b90k")},
    {"2c63cb7d1f2e95ba501893cbb8faeb4ea9a3af295498d35097126228659c2af8", "model.safetensors",
     HUB("google/siglip-base-patch16-224")},
    {"ea2abad2b7f8a9c1aa5e49a244d5d57ffa71c56f720c94bc5d240ef4d6e1d94a", "model.safetensors",
     HUB("google/siglip-so400m-patch14-384")},
    {"612923381c76ec5a9bed335d1c48827e3f2e506ac31b044b63b2031fadee6a0b", "model.safetensors",
     HUB("google/siglip2-base-patch16-224")},
    {"0cdab5b338cbaa1e7a5dcd1b2fb4c9f4d5df1abd289564658edbab64a650e7e8", "PE-Core-L14-336.pt", HUB("facebook/PE-Core-L14-336")},
    {"37c2d839a856491f2fcc82c40dc28672dbd0907235b4cd4c38dfff6457f0c09f", "mobileclip2_s2.pt", HUB("apple/MobileCLIP2-S2")},
    {"455df137", "rn50-quickgelu-yfcc15m-455df137.pt", RELEASE},
    {"f000538c", "rn50-quickgelu-cc12m-f000538c.pt", RELEASE},
    {"3e04b30e", "rn101-quickgelu-yfcc15m-3e04b30e.pt", RELEASE},
    {"d867053b", "vit_b_32-quickgelu-laion400m_e31-d867053b.pt", RELEASE},
    {"46683a32", "vit_b_32-quickgelu-laion400m_e32-46683a32.pt", RELEASE},
    {"af8dbd0c", "vit_b_32-laion2b_e16-af8dbd0c.pth", RELEASE},
    {"00efa78f", "vit_b_16-laion400m_e31-00efa78f.pt", RELEASE},
    {"55e67d44", "vit_b_16-laion400m_e32-55e67d44.pt", RELEASE},
    {"8fb26589", "vit_b_16_plus_240-laion400m_e31-8fb26589.pt", RELEASE},
    {"699c4b84", "vit_b_16_plus_240-laion400m_e32-699c4b84.pt", RELEASE},
    {"69988bb6", "vit_l_14-laion400m_e31-69988bb6.pt", RELEASE},
    {"3d133497", "vit_l_14-laion400m_e32-3d133497.pt", RELEASE},
};

const vb_published_row *vb_published_table(int row) {
    return row >= 0 && row < (int)(sizeof table / sizeof *table) ? &table[row] : NULL;
}

static bool is_sum(const char *text, size_t n) { return n == 64 && strspn(text, "0123456789abcdef") >= 64; }

const char *vb_published_address(const vb_published_row *row, char *text, size_t size) {
    if (row->folder) snprintf(text, size, "%s/%s", row->folder, row->file);
    else snprintf(text, size, "https://openaipublic.azureedge.net/clip/models/%s/%s", row->sum, row->file);
    return text;
}

/* sum: of at most 64 digits. */
static void take(vb_published *found, const char *sum, const char *source) {
    snprintf(found->sum.hex, sizeof found->sum.hex, "%s", sum);
    found->source = source;
}

bool vb_published_of_metadata(const char *text, vb_sha256 *sum) {
    const char *line = strchr(text, '\n');
    if (!line) return false;
    line += 1 + strspn(line + 1, " \t\r");
    if (!is_sum(line, strcspn(line, " \t\r\n"))) return false;
    memcpy(sum->hex, line, 64);
    sum->hex[64] = 0;
    return true;
}

/* The blob that a link leads to. */
static void look_at_link(vb_published *found, const char *path) {
    char real[PATH_MAX];
    if (!realpath(path, real)) return;
    const char *name = vb_path_base_name(real);
    static const char blobs[] = "/blobs/";
    const size_t above = (size_t)(name - real), n = sizeof blobs - 1;
    if (above >= n && !strncmp(name - n, blobs, n) && is_sum(name, strlen(name))) take(found, name, "hub cache");
}

static int look_at_metadata(vb_published *found, const char *folder, const char *below, vb_error *err) {
    char text[512];
    vb_sha256 sum;
    char *path = vb_format(err, "%s/.cache/huggingface/download/%s.metadata", folder, below);
    if (!path) return -1;
    vb_file_read_proc(path, text, sizeof text);
    if (vb_published_of_metadata(text, &sum)) take(found, sum.hex, "hub download");
    vb_free(path);
    return 0;
}

/* Below .git/lfs/objects/ab/cd: an object of so many bytes. */
static int look_for_size(vb_published *found, const char *folder, int depth, int64_t size, vb_error *err) {
    vb_strings names;
    vb_error none;
    int status = 0;
    if (vb_path_list_folder(&names, folder, &none)) {
        if (none.code != VB_EMEMORY) return 0; /* no such folder */
        *err = none;
        return -1;
    }
    for (size_t i = 0; i < names.count && !status && !*found->source; i++) {
        vb_path_facts facts;
        const char *name = names.items[i];
        if (depth < 2 ? strlen(name) != 2 : !is_sum(name, strlen(name))) continue;
        char *path = vb_path_join(folder, name, err);
        if (!path) status = -1;
        else if (depth < 2) status = look_for_size(found, path, depth + 1, size, err);
        else if (!vb_path_stat(path, &facts, &none) && facts.regular && (int64_t)facts.size == size) take(found, name, "Git LFS");
        vb_free(path);
    }
    vb_strings_free(&names);
    return status;
}

static int look_at_lfs(vb_published *found, const char *folder, int64_t size, const vb_sha256 *hashed, vb_error *err) {
    char *objects = vb_format(err, "%s/.git/lfs/objects", folder);
    char *own = objects ? vb_format(err, "%s/%.2s/%.2s/%s", objects, hashed->hex, hashed->hex + 2, hashed->hex) : NULL;
    int status = own ? 0 : -1;
    if (own && vb_path_exists(own)) take(found, hashed->hex, "Git LFS");
    else if (own && vb_path_is_folder(objects)) status = look_for_size(found, objects, 0, size, err);
    vb_free(own);
    vb_free(objects);
    return status;
}

/* The folders above the file, as far as repositories go down. */
static int look_above(vb_published *found, const char *path, int64_t size, const vb_sha256 *hashed, vb_error *err) {
    enum { LEVELS = 4 };
    char *folder = vb_path_absolute(path, err);
    if (!folder) return -1;
    const size_t whole = strlen(folder);
    size_t cut = whole;
    int status = 0;
    for (int level = 0; level < LEVELS && cut && !status && !*found->source; level++) {
        while (cut && folder[cut - 1] != '/') cut--;
        if (cut < 2) break; /* the root */
        char *below = vb_strdup(folder + cut, err), *above = below ? vb_format(err, "%.*s", (int)cut - 1, folder) : NULL;
        status = above ? look_at_metadata(found, above, below, err) : -1;
        if (!status && !*found->source) status = look_at_lfs(found, above, size, hashed, err);
        vb_free(above);
        vb_free(below);
        cut--;
    }
    vb_free(folder);
    return status;
}

/* A row of the whole sum, or one of the file's name that has the first digits. */
static void look_at_table(vb_published *found, const char *name, const vb_sha256 *hashed) {
    for (int i = 0; !*found->source && vb_published_table(i); i++)
        if (strlen(table[i].sum) < 64 ? !strcmp(table[i].file, name) : !strcmp(table[i].sum, hashed->hex))
            take(found, table[i].sum, table[i].by);
}

/* NAME-DIGITS.pt with eight digits or more, where the sum begins so; others may be no digits of a sum. */
static void look_at_name(vb_published *found, const char *name, const vb_sha256 *hashed) {
    enum { LEAST = 8 };
    const char *dash = strrchr(name, '-');
    const size_t n = dash ? strspn(dash + 1, "0123456789abcdef") : 0;
    char digits[65];
    if (n < LEAST || n > 64 || dash[1 + n] != '.' || strncmp(dash + 1, hashed->hex, n)) return;
    snprintf(digits, sizeof digits, "%.*s", (int)n, dash + 1);
    take(found, digits, "the file's name");
}

int vb_published_find(vb_published *found, const char *path, int64_t size, const vb_sha256 *hashed, vb_error *err) {
    const char *name = vb_path_base_name(path);
    *found = (vb_published){.source = ""};
    if (!hashed->hex[0]) return 0;
    look_at_link(found, path);
    if (!*found->source && look_above(found, path, size, hashed, err)) return -1;
    if (!*found->source) look_at_table(found, name, hashed);
    if (!*found->source) look_at_name(found, name, hashed);
    if (!*found->source) return 0;
    const bool same = !strncmp(found->sum.hex, hashed->hex, strlen(found->sum.hex));
    found->verdict = same ? VB_PUBLISHED_MATCH : VB_PUBLISHED_DIFFERS;
    return 0;
}
