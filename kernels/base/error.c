/* The error value: formatting, prefixing, names of the codes. */
#include "kernels/base/error.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/utf8.h"

int vb_errorf(vb_error *err, vb_code code, const char *format, ...) {
    if (!err) return -1;
    char text[VB_ERROR_TEXT]; /* the arguments may point into err->text */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vb_utf8_one_line(text); /* which the JSON that lists the error needs, too */
    err->code = code;
    err->rank = -1;
    memcpy(err->text, text, sizeof text);
    return -1;
}

int vb_error_prefix(vb_error *err, const char *format, ...) {
    if (!err || err->code == VB_EINCOMPLETE) return -1;
    char text[VB_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0) n = 0;
    if (n < (int)sizeof text) snprintf(text + n, sizeof text - (size_t)n, ": %s", err->text);
    vb_utf8_one_line(text);
    memcpy(err->text, text, sizeof text);
    return -1;
}

void vb_error_clear(vb_error *err) {
    if (!err) return;
    err->code = VB_OK;
    err->rank = -1;
    err->text[0] = 0;
}

const int vb_error_codes[] = {VB_OK,      VB_EINTERNAL, VB_EUSAGE, VB_ECONFIG,      VB_EMISSING, VB_EDATA,       VB_EMISMATCH,
                              VB_EOUTPUT, VB_EMEMORY,   VB_EMPI,   VB_EUNSUPPORTED, VB_EDEVICE,  VB_EINCOMPLETE, -1};

const char *vb_error_code_name(int code) {
    switch (code) {
    case VB_OK: return "success";
    case VB_EINTERNAL: return "internal error";
    case VB_EUSAGE: return "usage";
    case VB_ECONFIG: return "configuration";
    case VB_EMISSING: return "missing input";
    case VB_EDATA: return "bad input data";
    case VB_EMISMATCH: return "mismatch";
    case VB_EOUTPUT: return "output";
    case VB_EMEMORY: return "memory";
    case VB_EMPI: return "MPI";
    case VB_EUNSUPPORTED: return "unsupported input";
    case VB_EDEVICE: return "device";
    case VB_EINCOMPLETE: return "incomplete, run again";
    default: return "unknown error";
    }
}
