/* Looks the functions up in libOpenCL.so.1; names of error codes. */
#include "kernels/gpu/opencl.h"

#include <dlfcn.h>

static const char library_name[] = "libOpenCL.so.1";

int vb_opencl_load(vb_opencl *cl, vb_error *err) {
    void *library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "no OpenCL on this machine: %s: install its loader (Debian: ocl-icd-libopencl1) and the device's driver "
                         "(NVIDIA: nvidia-opencl-icd; AMD: rocm-opencl-icd or ROCm's; Intel: intel-opencl-icd; a processor: "
                         "pocl-opencl-icd)",
                         dlerror());
    const char *missing = NULL;
#define LOOK_UP(name)                                                                                                            \
    *(void **)&cl->name = dlsym(library, "cl" #name);                                                                            \
    if (!cl->name) missing = "cl" #name;
    VB_OPENCL_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    dlclose(library); /* RTLD_NODELETE: what was found stays */
    if (!missing) return 0;
    return vb_errorf(err, VB_EUNSUPPORTED, "%s has no %s: OpenCL 1.2 is needed", library_name, missing);
}

const char *vb_opencl_error_name(cl_int code) {
#define NAME(code)                                                                                                               \
    case code: return #code;
    switch (code) {
        NAME(CL_SUCCESS)
        NAME(CL_DEVICE_NOT_FOUND)
        NAME(CL_DEVICE_NOT_AVAILABLE)
        NAME(CL_COMPILER_NOT_AVAILABLE)
        NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
        NAME(CL_OUT_OF_RESOURCES)
        NAME(CL_OUT_OF_HOST_MEMORY)
        NAME(CL_PROFILING_INFO_NOT_AVAILABLE)
        NAME(CL_MEM_COPY_OVERLAP)
        NAME(CL_BUILD_PROGRAM_FAILURE)
        NAME(CL_MAP_FAILURE)
        NAME(CL_MISALIGNED_SUB_BUFFER_OFFSET)
        NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
        NAME(CL_INVALID_VALUE)
        NAME(CL_INVALID_DEVICE_TYPE)
        NAME(CL_INVALID_PLATFORM)
        NAME(CL_INVALID_DEVICE)
        NAME(CL_INVALID_CONTEXT)
        NAME(CL_INVALID_QUEUE_PROPERTIES)
        NAME(CL_INVALID_COMMAND_QUEUE)
        NAME(CL_INVALID_HOST_PTR)
        NAME(CL_INVALID_MEM_OBJECT)
        NAME(CL_INVALID_BINARY)
        NAME(CL_INVALID_BUILD_OPTIONS)
        NAME(CL_INVALID_PROGRAM)
        NAME(CL_INVALID_PROGRAM_EXECUTABLE)
        NAME(CL_INVALID_KERNEL_NAME)
        NAME(CL_INVALID_KERNEL_DEFINITION)
        NAME(CL_INVALID_KERNEL)
        NAME(CL_INVALID_ARG_INDEX)
        NAME(CL_INVALID_ARG_VALUE)
        NAME(CL_INVALID_ARG_SIZE)
        NAME(CL_INVALID_KERNEL_ARGS)
        NAME(CL_INVALID_WORK_DIMENSION)
        NAME(CL_INVALID_WORK_GROUP_SIZE)
        NAME(CL_INVALID_WORK_ITEM_SIZE)
        NAME(CL_INVALID_GLOBAL_OFFSET)
        NAME(CL_INVALID_EVENT_WAIT_LIST)
        NAME(CL_INVALID_EVENT)
        NAME(CL_INVALID_OPERATION)
        NAME(CL_INVALID_BUFFER_SIZE)
        NAME(CL_INVALID_GLOBAL_WORK_SIZE)
    case -1001: return "CL_PLATFORM_NOT_FOUND_KHR";
    default: return "an OpenCL error without a name";
    }
#undef NAME
}

int vb_opencl_failed(cl_int code, const char *where, const char *call, vb_error *err) {
    const int memory = code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES || code == CL_OUT_OF_HOST_MEMORY ||
                       code == CL_INVALID_BUFFER_SIZE;
    return vb_errorf(err, memory ? VB_EMEMORY : VB_EDEVICE, "device %s: %s: %s (%d)", where, call, vb_opencl_error_name(code),
                     code);
}
