// JPEG and PNG from memory, through libjpeg and libpng.
//
// Status is the only return, everything else an out-parameter. The libraries' long jumps end inside
// these functions. There is no state between calls: several threads may decode at once.
#ifndef CPICTURES_H
#define CPICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CP_OK = 0,
    CP_DAMAGED,            // the library gave up; `message` is its reason
    CP_TOO_MANY_PIXELS,
    CP_TOO_MANY_SCANS,
    CP_TOO_MANY_WARNINGS,
    CP_NO_MEMORY
} cp_status;

// Beyond these a picture is refused.
typedef struct {
    uint64_t pixels;
    uint32_t scans;        // of a progressive JPEG
    uint32_t warnings;     // of the library
} cp_limits;

typedef struct {
    uint8_t *pixels;       // row by row, interleaved, without padding; free with cp_free
    uint32_t width, height;
    uint32_t channels;     // 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha or CMYK
    uint32_t warnings;
    bool cut;              // JPEG: the data ended before the last row
    bool corrupt;          // JPEG: codes that no encoder writes; pixels are wrong
    bool adobe;            // JPEG: has Adobe's marker, with which CMYK values are inverted
    char message[200];     // of a failure, else of the last warning
} cp_picture;

// Decodes a JPEG at 1/denominator of its size (1, 2, 4 or 8; rounded up). YCbCr becomes RGB, or grey if
// asked for; YCCK becomes CMYK.
cp_status cp_read_jpeg(const uint8_t *bytes, size_t count, uint32_t denominator, bool grey,
                       const cp_limits *limits, cp_picture *out);

// Decodes a PNG: palettes, few bits and transparent colours are expanded, 16 bits scaled to 8. Colour
// profiles, texts and other extras are passed over.
cp_status cp_read_png(const uint8_t *bytes, size_t count, const cp_limits *limits, cp_picture *out);

void cp_free(cp_picture *picture);

#endif
