/* Rates by the stages of a pair. */
#include "mpi/run/rates.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/base/machine.h"
#include "shards/files/path.h"

static char *path_of(const vb_rates_of *of, char *processor, int size) {
    vb_error none;
    vb_digester *digester;
    char facts[64];
    vb_machine_processor(processor, size);
    if (vb_digest_new(&digester, &none)) return NULL;
    snprintf(facts, sizeof facts, "%s %s %d", vb_isa_name(vb_isa_level()), of->gpu ? "gpu" : "cpu", of->threads);
    const char *const fields[] = {of->model->image_key.hex, of->model->text_key.hex, of->dataset, processor, facts};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) vb_digest_add_text(digester, fields[i]);
    return vb_format(&none, "%s/rates/%s.json", of->cache, vb_digest_finish(digester).hex);
}

static bool read_rates(const char *path, vb_rates *rates) {
    vb_error none;
    *rates = (vb_rates){0};
    json_t *said = path && vb_path_exists(path) ? vb_json_parse_file(path, &none) : NULL;
    const double image = vb_json_number(said, "image"), text = vb_json_number(said, "text");
    if (image > 0) rates->image = image; /* what is no number is not */
    if (text > 0) rates->text = text;
    rates->ranks = (int)vb_json_integer(said, "ranks");
    snprintf(rates->finished, sizeof rates->finished, "%s", vb_json_text(said, "finished"));
    json_decref(said);
    return rates->image > 0 || rates->text > 0;
}

bool vb_rates_find(const vb_rates_of *of, vb_rates *rates) {
    char processor[256];
    char *path = path_of(of, processor, sizeof processor);
    const bool found = read_rates(path, rates);
    vb_free(path);
    return found;
}

/* Seconds of a stage for each of what it did. */
static double seconds_each(const vb_live *live, const char *name) {
    for (int s = 0; s < live->count; s++) {
        const vb_live_stage *stage = &live->stages[s];
        if (!strcmp(stage->name, name) && stage->ended && stage->done > 0) return stage->seconds / (double)stage->done;
    }
    return 0;
}

void vb_rates_keep(const vb_rates_of *of, const vb_live *live, const vb_pair_counts *counts, int ranks, double crowd) {
    char processor[256], finished[32];
    vb_error none;
    vb_rates rates;
    struct tm parts;
    const time_t now = time(NULL);
    char *path = path_of(of, processor, sizeof processor), *folder = vb_format(&none, "%s/rates", of->cache);
    read_rates(path, &rates);
    /* Where ranks share devices, images are encoded before they are evaluated. */
    const double each = seconds_each(live, "evaluate") + seconds_each(live, "encode");
    const double images = counts->units_cached || !counts->images_encoded ? 0 : each,
                 texts = counts->texts_cached || !counts->texts_encoded ? 0 : seconds_each(live, "texts");
    if (images > 0) rates.image = images * ranks / crowd;
    if (texts > 0) rates.text = texts * ranks / crowd;
    gmtime_r(&now, &parts);
    strftime(finished, sizeof finished, "%Y-%m-%dT%H:%M:%SZ", &parts);
    vb_json json = {0};
    json_t *object = vb_json_object(&json);
    vb_json_set_text(&json, object, "model", of->model->spec->name);
    vb_json_set_text(&json, object, "dataset", of->dataset);
    vb_json_set_text(&json, object, "processor", processor);
    vb_json_set_text(&json, object, "isa", vb_isa_name(vb_isa_level()));
    vb_json_set_text(&json, object, "device", of->gpu ? "gpu" : "cpu");
    vb_json_set_integer(&json, object, "threads", of->threads);
    vb_json_set_integer(&json, object, "ranks", ranks);
    vb_json_set_text(&json, object, "finished", finished);
    vb_json_set_real(&json, object, "image", rates.image);
    vb_json_set_real(&json, object, "text", rates.text);
    const bool news = images > 0 || texts > 0;
    if (news && path && folder && !json.failed && !vb_path_make_folders(folder, &none)) vb_json_write(object, path, &none);
    json_decref(object);
    vb_free(folder);
    vb_free(path);
}
