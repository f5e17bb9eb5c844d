/* What a program runs on and is made of: processor, operating system, compiler, libraries. Local. */
#ifndef VB_MACHINE_H
#define VB_MACHINE_H

#include "mpi/base/json.h"

/* "Intel(R) Xeon(R) ...", the machine's word where the system does not name it; "Debian GNU/Linux 12 (bookworm), Linux 6.1.0";
 * "gcc 12.2.0". */
void vb_machine_processor(char *text, int size);
void vb_machine_system(char *text, int size);
const char *vb_machine_compiler(void);
/* {"libpng": "1.6.39", ..., "BLAS": "OpenBLAS 0.3.21 ... (/usr/lib/...)", "MPI": "Open MPI v4.1.4"} */
json_t *vb_machine_libraries(vb_json *json);

#endif
