/* Ranks that share a device: of each group one has the models there, and the others lend it their cores. */
#ifndef VB_DEVICE_LENDING_H
#define VB_DEVICE_LENDING_H

#include "mpi/base/device.h"

/* OpenCL's buffers belong to one process: two ranks of a group with one device would hold its weights twice and wait for each
 * other. So of the ranks of `context`, a part of `world`, which share a device, the first encodes, and decodes with the threads
 * (`threads` a rank) and on the cores of all of them; the others give the device back and take their part of all other work. Sets
 * context->encoders, encoder and lent, and device->share to the groups that use the device. group: the number of `context` among
 * the world's parts. Nothing is sent where no rank has a device. Collective over the world. */
int vb_device_lending_agree(vb_device *device, vb_context *world, vb_context *context, int group, int threads, vb_error *err);

#endif
