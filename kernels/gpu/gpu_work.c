/* Buffers, programs and launches, each step of which can be made to fail (kernels/base/fault.h). */
#include "kernels/gpu/gpu_work.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_texts.h"

static int failed(const vb_gpu_device *device, cl_int code, const char *call, vb_error *err) {
    return code ? vb_opencl_failed(code, device->info.name, call, err) : 0;
}

/* ---- buffers ---- */

static int make_buffer(vb_gpu_device *device, size_t bytes, const void *content, cl_mem *buffer, vb_error *err) {
    const cl_mem_flags flags = CL_MEM_READ_WRITE | (content ? CL_MEM_COPY_HOST_PTR : 0);
    cl_int code = vb_fault(VB_FAULT_DEVICE_ALLOC) ? CL_MEM_OBJECT_ALLOCATION_FAILURE : CL_SUCCESS;
    *buffer = NULL;
    void *from = NULL; /* OpenCL takes it without const, and reads it only */
    memcpy(&from, &content, sizeof from);
    if (!code) *buffer = device->cl.CreateBuffer(device->context, flags, bytes ? bytes : 1, from, &code);
    if (code) {
        *buffer = NULL;
        failed(device, code, "clCreateBuffer", err);
        return vb_error_prefix(err, "%zu bytes", bytes);
    }
    device->in_use += bytes;
    return 0;
}

int vb_gpu_work_buffer(vb_gpu_device *device, size_t bytes, cl_mem *buffer, vb_error *err) {
    return make_buffer(device, bytes, NULL, buffer, err);
}

void vb_gpu_work_release(vb_gpu_device *device, cl_mem *buffer, size_t bytes) {
    if (!*buffer) return;
    device->cl.ReleaseMemObject(*buffer);
    device->in_use -= bytes;
    *buffer = NULL;
}

int vb_gpu_work_copy(vb_gpu_device *device, const void *bytes, size_t size, cl_mem *buffer, vb_error *err) {
    return size ? make_buffer(device, size, bytes, buffer, err) : vb_gpu_work_buffer(device, size, buffer, err);
}

int vb_gpu_work_write(vb_gpu_device *device, cl_command_queue queue, cl_mem buffer, const void *bytes, size_t at, size_t size,
                      vb_error *err) {
    if (!size) return 0;
    return failed(device, device->cl.EnqueueWriteBuffer(queue, buffer, CL_TRUE, at, size, bytes, 0, NULL, NULL),
                  "clEnqueueWriteBuffer", err);
}

int vb_gpu_work_read(vb_gpu_device *device, cl_mem buffer, size_t at, void *bytes, size_t size, vb_error *err) {
    if (!size) return 0;
    return failed(device, device->cl.EnqueueReadBuffer(device->queue, buffer, CL_TRUE, at, size, bytes, 0, NULL, NULL),
                  "clEnqueueReadBuffer", err);
}

/* ---- programs ---- */

/* The compiler's first complaint. */
static int build_failed(const vb_gpu_device *device, const vb_gpu_module *module, cl_int code, vb_error *err) {
    char log[VB_ERROR_TEXT / 2] = "";
    size_t size = 0;
    if (!device->cl.GetProgramBuildInfo(module->program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) && size) {
        char *all = vb_array(size + 1, 1, "a compiler's log", NULL);
        if (all && !device->cl.GetProgramBuildInfo(module->program, device->id, CL_PROGRAM_BUILD_LOG, size, all, NULL)) {
            const char *from = strstr(all, "error");
            snprintf(log, sizeof log, "%.*s", (int)strcspn(from ? from : all, "\n"), from ? from : all);
        }
        vb_free(all);
    }
    failed(device, code, "clBuildProgram", err);
    return log[0] ? vb_error_prefix(err, "its compiler says \"%s\"", log) : -1;
}

static int build(vb_gpu_device *device, vb_gpu_module *module) {
    if (vb_fault(VB_FAULT_DEVICE_BUILD)) return CL_BUILD_PROGRAM_FAILURE;
    return device->cl.BuildProgram(module->program, 1, &device->id, module->options, NULL, NULL);
}

/* From what the store has under `key`; module->program stays NULL where that is nothing, or nothing that the driver takes. */
static int take_from_store(vb_gpu_device *device, vb_gpu_module *module, const char *key, vb_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!device->store) return 0;
    if (device->store->load(device->store->context, key, &bytes, &size, err)) return -1;
    if (!bytes) return 0;
    const unsigned char *binary = bytes;
    cl_int status = 0, code = 0;
    module->program = device->cl.CreateProgramWithBinary(device->context, 1, &device->id, &size, &binary, &status, &code);
    if (!code && !status) code = device->cl.BuildProgram(module->program, 1, &device->id, module->options, NULL, NULL);
    vb_free(bytes);
    if (!code && !status) device->loads++;
    else if (module->program) {
        device->cl.ReleaseProgram(module->program);
        module->program = NULL;
    }
    return 0;
}

/* Some drivers give no binary: then nothing is kept. */
static void put_into_store(vb_gpu_device *device, const vb_gpu_module *module, const char *key) {
    size_t size = 0;
    if (!device->store || device->cl.GetProgramInfo(module->program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) || !size)
        return;
    unsigned char *bytes = vb_buffer(size, 1, "a built program", NULL);
    if (bytes && !device->cl.GetProgramInfo(module->program, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL))
        device->store->save(device->store->context, key, bytes, size);
    vb_free(bytes);
}

static int make_module(vb_gpu_device *device, vb_gpu_module *module, vb_error *err) {
    const vb_gpu_device_info *info = &device->info;
    char *key = vb_format(err, "vocabench device program 1\n%s\n%s\n%s\n%s\n%s\n%s\n%s", info->platform, info->name,
                          info->version, info->driver, module->options, vb_gpu_math_cl, module->source);
    if (!key) return -1;
    int status = take_from_store(device, module, key, err);
    if (!status && !module->program) {
        const char *sources[] = {vb_gpu_math_cl, module->source};
        cl_int code = 0;
        module->program = device->cl.CreateProgramWithSource(device->context, 2, sources, NULL, &code);
        if (code) status = failed(device, code, "clCreateProgramWithSource", err);
        else if ((code = build(device, module))) status = build_failed(device, module, code, err);
        else {
            device->builds++;
            put_into_store(device, module, key);
        }
    }
    vb_free(key);
    return status;
}

static void free_module(vb_gpu_device *device, vb_gpu_module *module) {
    if (module->program) device->cl.ReleaseProgram(module->program);
    vb_free(module);
}

int vb_gpu_work_module(vb_gpu_device *device, const char *source, const char *options, vb_gpu_module **module, vb_error *err) {
    char all[VB_GPU_OPTIONS];
    const int length = snprintf(all, sizeof all, "-cl-std=CL1.2%s%s%s",
                                device->info.divides ? " -cl-fp32-correctly-rounded-divide-sqrt -DVB_DIVIDES" : "",
                                options[0] ? " " : "", options);
    assert(length > 0 && length < (int)sizeof all);
    for (size_t i = 0; i < device->module_count; i++)
        if (device->modules[i]->source == source && !strcmp(device->modules[i]->options, all)) {
            *module = device->modules[i];
            return 0;
        }
    vb_gpu_module *made = vb_array(1, sizeof *made, "device program", err);
    if (!made) return -1;
    made->source = source;
    memcpy(made->options, all, (size_t)length + 1);
    if (make_module(device, made, err) || vb_grow((void **)&device->modules, &device->module_capacity, device->module_count + 1,
                                                  sizeof(vb_gpu_module *), "device programs", err)) {
        free_module(device, made);
        return -1;
    }
    *module = device->modules[device->module_count++] = made;
    return 0;
}

/* ---- launches ---- */

static int find_kernel(vb_gpu_device *device, vb_gpu_module *module, const char *name, cl_kernel *kernel, vb_error *err) {
    int at = 0;
    while (module->kernels[at].name && strcmp(module->kernels[at].name, name)) at++;
    assert(at < VB_GPU_KERNELS);
    if (!module->kernels[at].name) {
        cl_int code = 0;
        module->kernels[at].kernel = device->cl.CreateKernel(module->program, name, &code);
        if (code) {
            module->kernels[at].kernel = NULL;
            failed(device, code, "clCreateKernel", err);
            return vb_error_prefix(err, "kernel %s", name);
        }
        module->kernels[at].name = name;
    }
    *kernel = module->kernels[at].kernel;
    return 0;
}

int vb_gpu_work_launch(vb_gpu_device *device, const vb_gpu_launch *launch, vb_error *err) {
    cl_kernel kernel = NULL;
    size_t global[3];
    for (int i = 0; i < 3; i++) {
        global[i] = launch->groups[i] * launch->items[i];
        if (!global[i]) return 0;
    }
    if (find_kernel(device, launch->module, launch->kernel, &kernel, err)) return -1;
    const int fault = vb_fault(VB_FAULT_DEVICE_LAUNCH);
    if (fault == VB_FAULT_SHORT) return 0;
    cl_int code = fault ? CL_OUT_OF_RESOURCES : CL_SUCCESS;
    const char *call = "clSetKernelArg";
    for (int i = 0; !code && i < launch->count; i++)
        code = device->cl.SetKernelArg(kernel, (cl_uint)i, launch->arguments[i].size, launch->arguments[i].value);
    if (!code) {
        call = "clEnqueueNDRangeKernel";
        code = device->cl.EnqueueNDRangeKernel(device->queue, kernel, 3, NULL, global, launch->items, 0, NULL, NULL);
    }
    if (!code) return 0;
    failed(device, code, call, err);
    return vb_error_prefix(err, "kernel %s", launch->kernel);
}
