/* The OpenCL library of the machine, found at run time. */
#ifndef VB_OPENCL_H
#define VB_OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "kernels/base/error.h"

/* What is used of OpenCL 1.2, without its "cl". */
#define VB_OPENCL_FUNCTIONS(EACH)                                                                                                \
    EACH(GetPlatformIDs)                                                                                                         \
    EACH(GetPlatformInfo)                                                                                                        \
    EACH(GetDeviceIDs)                                                                                                           \
    EACH(GetDeviceInfo)                                                                                                          \
    EACH(CreateContext)                                                                                                          \
    EACH(ReleaseContext)                                                                                                         \
    EACH(CreateCommandQueue)                                                                                                     \
    EACH(ReleaseCommandQueue)                                                                                                    \
    EACH(CreateProgramWithSource)                                                                                                \
    EACH(CreateProgramWithBinary)                                                                                                \
    EACH(BuildProgram)                                                                                                           \
    EACH(GetProgramInfo)                                                                                                         \
    EACH(GetProgramBuildInfo)                                                                                                    \
    EACH(ReleaseProgram)                                                                                                         \
    EACH(CreateKernel)                                                                                                           \
    EACH(SetKernelArg)                                                                                                           \
    EACH(ReleaseKernel)                                                                                                          \
    EACH(CreateBuffer)                                                                                                           \
    EACH(ReleaseMemObject)                                                                                                       \
    EACH(EnqueueWriteBuffer)                                                                                                     \
    EACH(EnqueueReadBuffer)                                                                                                      \
    EACH(EnqueueNDRangeKernel)                                                                                                   \
    EACH(EnqueueMarkerWithWaitList)                                                                                              \
    EACH(GetEventInfo)                                                                                                           \
    EACH(ReleaseEvent)                                                                                                           \
    EACH(Flush)                                                                                                                  \
    EACH(Finish)

typedef struct vb_opencl {
#define VB_OPENCL_FIELD(name) __typeof__(cl##name) *name;
    VB_OPENCL_FUNCTIONS(VB_OPENCL_FIELD)
#undef VB_OPENCL_FIELD
} vb_opencl;

/* Loads the library (once a process, whoever asks; it is never unloaded, since drivers run threads of their own).
 * VB_EUNSUPPORTED: there is none, with what to install. Drivers may take signals when the first device is asked for: see
 * mpi/ranks/context.h. */
int vb_opencl_load(vb_opencl *cl, vb_error *err);

const char *vb_opencl_error_name(cl_int code); /* "CL_OUT_OF_RESOURCES", ...; never NULL */

/* -1 always: `where` (a device's name), the call and the code's name. VB_EMEMORY where memory is what lacks, else VB_EDEVICE. */
int vb_opencl_failed(cl_int code, const char *where, const char *call, vb_error *err);

#endif
