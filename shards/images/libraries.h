/* The libraries that decode images, whose versions decide pixels. */
#ifndef VB_LIBRARIES_H
#define VB_LIBRARIES_H

typedef struct vb_library {
    const char *name;
    char version[96];
} vb_library;

enum { VB_IMAGE_LIBRARIES = 5 };

/* "libjpeg-turbo", "libpng", ... with the versions that run; of libjpeg, which does not tell, the one that it was built with. */
void vb_libraries_images(vb_library list[VB_IMAGE_LIBRARIES]);

#endif
