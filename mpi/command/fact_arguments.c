/* Flags to a YAML map, which the reader of the experiment's table reads. */
#include "mpi/command/fact_arguments.h"

#include <assert.h>
#include <string.h>

#include "mpi/experiment/experiment_tables.h"
#include "shards/text/yaml.h"
#include "shards/text/yaml_set.h"

/* What those flags state that are rows of the table, and the defaults of its others. */
static int read_rows(const vb_option *table, void *fields, const vb_arguments *arguments, vb_error *err) {
    static const char nothing[] = "{}";
    const char *command = arguments->command->name;
    vb_yaml *map = NULL;
    int status = vb_yaml_parse(&map, nothing, strlen(nothing), command, err);
    for (int i = 0; i < arguments->flags.count && !status; i++) {
        const vb_flag *flag = &arguments->flags.items[i];
        if (flag->option && arguments->given[i] && vb_options_find(table, flag->option))
            status = vb_yaml_set(map, flag->option, arguments->texts[i], err);
    }
    if (!status) status = vb_options_read(table, fields, map, command, "the flags", err);
    vb_yaml_free(map);
    if (status && err && err->code == VB_ECONFIG) err->code = VB_EUSAGE;
    return status;
}

int vb_fact_arguments_read(vb_stated_facts *stated, const vb_arguments *arguments, vb_error *err) {
    return read_rows(vb_experiment_tables_facts(), stated, arguments, err);
}

int vb_fact_arguments_read_pixels(vb_stated_facts *stated, const vb_arguments *arguments, vb_error *err) {
    if (vb_fact_arguments_read(stated, arguments, err)) return -1;
    if (!vb_arguments_given(arguments, "rgb-first")) return 0;
    if (stated->preprocessing == VB_PREPROCESSING_OPENAI)
        return vb_errorf(err, VB_EUSAGE, "%s: --rgb-first beside --preprocessing openai: expected one of them",
                         arguments->command->name);
    stated->preprocessing = VB_PREPROCESSING_RGB_FIRST;
    return 0;
}

int vb_fact_arguments_integer(int64_t *value, const vb_arguments *arguments, const char *key, vb_error *err) {
    vb_option alone[2] = {*vb_options_find(vb_experiment_tables_root(), key)};
    assert(alone->kind == VB_OPTION_INTEGER);
    alone->offset = 0;
    return read_rows(alone, value, arguments, err);
}
