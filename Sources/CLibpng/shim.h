#if !__has_include(<png.h>)
#error "libpng was not found: run scripts/libraries, install libpng-dev (Debian, Ubuntu), libpng-devel or libpng, or build with LIMBECK_IMAGES=none"
#endif
#include <png.h>
