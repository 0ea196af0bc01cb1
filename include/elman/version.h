/* The versions of the library and of its numerics. */
#ifndef ELMAN_VERSION_H
#define ELMAN_VERSION_H

#include "elman/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The one place where the version stands; the build reads it here. */
#define ELMAN_VERSION "0.1.0"

/* Goes up whenever a result changes its bits. A run resumes only on the numerics
 * that it began with. */
#define ELMAN_NUMERICS_VERSION 1

/* The ELMAN_VERSION and ELMAN_NUMERICS_VERSION of the library that runs, which a
 * program may compare with those that it was compiled against. A static string. */
ELMAN_API const char *elman_version(void);
ELMAN_API int elman_numerics_version(void);

#ifdef __cplusplus
}
#endif

#endif
