/* Flags to a YAML map, which the reader of the experiment's table reads. */
#include "mpi/command/fact_arguments.h"

#include <string.h>

#include "mpi/experiment/experiment_tables.h"
#include "shards/text/yaml.h"
#include "shards/text/yaml_set.h"

int vb_fact_arguments_read(vb_stated_facts *stated, const vb_arguments *arguments, vb_error *err) {
    static const char nothing[] = "{}";
    const char *command = arguments->command->name;
    vb_yaml *map = NULL;
    int status = vb_yaml_parse(&map, nothing, strlen(nothing), command, err);
    for (int i = 0; i < arguments->flags.count && !status; i++) {
        const vb_flag *flag = &arguments->flags.items[i];
        if (flag->option && arguments->given[i]) status = vb_yaml_set(map, flag->option, arguments->texts[i], err);
    }
    if (!status) status = vb_options_read(vb_experiment_tables_facts(), stated, map, command, "the flags", err);
    vb_yaml_free(map);
    if (status && err && err->code == VB_ECONFIG) err->code = VB_EUSAGE;
    return status;
}
