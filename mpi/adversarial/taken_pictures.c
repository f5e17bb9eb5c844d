/* Pictures of taken images, by the names that take them. */
#include "mpi/adversarial/taken_pictures.h"

#include <string.h>

#include "mpi/base/json.h"
#include "mpi/figures/pictures.h"

/* One name: how many images it takes, and some of them. The list of pictures is left out where none can be had. */
static int put_name(vb_pictures *reader, const json_t *attack, size_t i, vb_strbuf *out, vb_error *err) {
    const json_t *takes = json_array_get(json_object_get(attack, "takes"), i);
    const json_t *examples = json_array_get(json_object_get(attack, "examples"), i), *count;
    const char *class, *name = json_string_value(json_array_get(json_object_get(attack, "names"), i));
    json_int_t taken = 0;
    vb_strbuf pictures = {0};
    json_object_foreach((json_t *)takes, class, count) taken += json_integer_value(count);
    for (size_t e = 0; e < json_array_size(examples); e++) {
        const json_t *example = json_array_get(examples, e);
        if (!vb_pictures_put(reader, json_integer_value(json_object_get(example, "place")), vb_json_text(example, "image"),
                             vb_json_text(example, "class"), &pictures, err) &&
            !pictures.failed)
            continue;
        if (pictures.failed) vb_errorf(err, VB_EMEMORY, "no memory for a page");
        vb_strbuf_free(&pictures);
        return -1;
    }
    vb_strbuf_add(out, "<p><b>");
    vb_strbuf_add_html(out, name ? name : "");
    vb_strbuf_format(out, "</b> takes %lld</p>\n", (long long)taken);
    if (pictures.filled) {
        vb_strbuf_add(out, "<ul>\n");
        vb_strbuf_add_n(out, pictures.bytes, pictures.filled);
        vb_strbuf_add(out, "</ul>\n");
    }
    out->failed = out->failed || pictures.failed;
    vb_strbuf_free(&pictures);
    return 0;
}

static int put_target(vb_pictures *reader, const json_t *attack, vb_strbuf *out, vb_error *err) {
    const json_t *names = json_object_get(attack, "names"), *accuracy = json_object_get(attack, "accuracy");
    const json_t *last = json_array_get(accuracy, json_array_size(accuracy) - 1);
    vb_strbuf_add(out, "<section class=\"target\">\n<h4>");
    vb_strbuf_add_html(out, vb_json_text(attack, "target"));
    vb_strbuf_format(out, " <small>%.2f %% → %.2f %%</small></h4>\n", 100 * vb_json_number(attack, "accuracy_before"),
                     100 * json_number_value(last));
    for (size_t i = 0; i < json_array_size(names); i++)
        if (put_name(reader, attack, i, out, err)) return -1;
    vb_strbuf_add(out, "</section>\n");
    return 0;
}

int vb_taken_pictures_add(const vb_section_subject *subject, vb_strbuf *out, vb_error *err) {
    const json_t *attacks = json_object_get(subject->results->entry, "adversarial");
    if (!json_array_size(attacks)) return 0;
    vb_pictures reader;
    vb_strbuf targets = {0};
    int status = 0;
    vb_pictures_open(&reader, subject->results);
    if (reader.reason.code == VB_EMEMORY) {
        *err = reader.reason;
        status = -1;
    }
    for (size_t t = 0; t < json_array_size(attacks) && reader.dataset && !status; t++) {
        const json_t *attack = json_array_get(attacks, t);
        if (json_array_size(json_object_get(attack, "names"))) status = put_target(&reader, attack, &targets, err);
    }
    if (!status && targets.filled && strstr(targets.bytes ? targets.bytes : "", "<img")) {
        vb_strbuf_add(
            out,
            "<p>Images that each added name takes from the target, the first of every class:</p>\n<div class=\"targets\">\n");
        vb_strbuf_add_n(out, targets.bytes, targets.filled);
        vb_strbuf_add(out, "</div>\n");
    }
    if (!status && reader.reason.code) {
        vb_strbuf_add(out, "<p class=\"quiet\">Pictures of taken images are missing here: ");
        vb_strbuf_add_html(out, reader.reason.text);
        vb_strbuf_add(out, ".</p>\n");
    }
    out->failed = out->failed || targets.failed;
    vb_strbuf_free(&targets);
    vb_pictures_close(&reader);
    return status;
}
