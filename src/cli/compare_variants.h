/* The variants of elman compare, as files and as texts on the command line. */
#ifndef ELMAN_CLI_COMPARE_VARIANTS_H
#define ELMAN_CLI_COMPARE_VARIANTS_H

#include "elman/compare.h"

typedef struct cli_variants {
    elman_compare_variant *list; /* [count] */
    char (*names)[ELMAN_COMPARE_NAME];
    int count;
    char task[32]; /* that all are of; "": nobody has said it */
} cli_variants;

/* What the command line gives for all of them, over what each is. */
typedef struct cli_common {
    const elman_config *config;
    const char *const *given; /* by option of elman_config_options: not NULL where it was given */
    bool budget;              /* one was given, so that a text may not speak of its length */
} cli_common;

/* Both return CLI_DONE, or what went wrong, said. */

/* A file as --config reads it, or a folder with config.json in it; its name without the ending. */
int cli_variant_from_file(elman_context *context, cli_variants *variants, const char *path,
                          const cli_common *common);
/* "NAME: --option value ...": options over `base`, then NAME or what stands in them. A cell's word,
 * or irnn (a ReLU network that begins as the identity, Le et al. 2015), may stand before them. The
 * task must be known. */
int cli_variant_from_text(cli_variants *variants, const char *text, const elman_config *base,
                          const cli_common *common);

/* A base for texts: the task's defaults, or --config FILE (NULL: none), with what is common. */
int cli_variant_base(elman_context *context, cli_variants *variants, const char *path,
                     const cli_common *common, elman_config *base);

void cli_variants_free(cli_variants *variants);

#endif
