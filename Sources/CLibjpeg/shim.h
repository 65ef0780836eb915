#if !__has_include(<jpeglib.h>)
#error "libjpeg was not found: run scripts/libraries, install libjpeg-dev (Debian, Ubuntu), libjpeg-turbo-devel or jpeg-turbo, or build with LIMBECK_IMAGES=none"
#endif
#include <stdio.h>
#include <jpeglib.h>
