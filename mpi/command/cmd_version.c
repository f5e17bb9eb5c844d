/* `vocabench version`: what this binary is made of. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <yaml.h>
#include <zstd.h>

#include "kernels/base/isa.h"
#include "mpi/command/cmd.h"
#include "kernels/base/memory.h"
#include "mpi/base/install.h"
#include "mpi/base/machine.h"
#include "mpi/base/provenance.h"
#include "mpi/ranks/threads.h"

const vb_flag vb_cmd_version_flags[] = {
    {0},
};

/* What results.json says of the machine, too. */
static void print_machine(void) {
    char processor[256], system[256];
    const char *name;
    json_t *version;
    vb_json json = {0};
    json_t *libraries = vb_machine_libraries(&json);
    vb_machine_processor(processor, sizeof processor);
    vb_machine_system(system, sizeof system);
    printf("processor: %s; system: %s; compiler: %s\nlibraries:", processor, system, vb_machine_compiler());
    json_object_foreach(libraries, name, version) { printf(" %s %s;", name, json_string_value(version)); }
    printf("\n");
    json_decref(libraries);
}

int vb_cmd_version(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    (void)arguments;
    if (context->comm.rank) return vb_comm_agree(&context->comm, 0, err);
    char *configs = vb_install_configs_folder(err);
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    int n;
    MPI_Get_library_version(mpi, &n);
    mpi[strcspn(mpi, ",")] = 0;
    printf("vocabench %s (revision %s)\n", vb_provenance_version(), vb_provenance_revision());
    printf("%s, jansson %s, libyaml %s, zstd %s\n", mpi, JANSSON_VERSION, yaml_get_version_string(), ZSTD_versionString());
    print_machine();
    printf("instruction set: %s; ranks: %d; threads a rank: %d\n", vb_isa_name(vb_isa_level()), context->comm.size,
           vb_threads_default(&context->comm));
    if (configs) printf("configs: %s\n", configs);
    int status = configs ? 0 : -1;
    vb_free(configs);
    return vb_comm_agree(&context->comm, status, err);
}
