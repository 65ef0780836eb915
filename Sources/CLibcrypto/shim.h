#if !__has_include(<openssl/evp.h>)
#error "OpenSSL was not found: run scripts/libraries, or install libssl-dev (Debian, Ubuntu) or openssl-devel"
#endif
#include <openssl/evp.h>
