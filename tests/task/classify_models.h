/* Small trained classifiers of each kind, for the tests that use one. */
#ifndef CLASSIFY_MODELS_H
#define CLASSIFY_MODELS_H

#include "classify_case.h"

enum { LABELS = 3 };

static elman_context *context;
static char words_folder[128], spelt_folder[128], wide_folder[128], long_folder[128];
static told t;

static inline int begin(void **state)
{
    if (make_test_folder(state))
        return 1;
    context = context_of(2);
#if defined(ELMAN_WITH_UNICODE) && defined(ELMAN_WITH_CSV)
    elman_config c = small_config();
    c.epochs = 4;
    c.calibrate = true;
    const char *data = write_reviews("reviews.tsv", 120, LABELS, 5);
    strcpy(words_folder, trained("words", data, &c, 2));
    c.char_hidden = 5;
    c.char_embedding = 4;
    strcpy(c.pool, "attention,last");
    c.linear_skip = true;
    strcpy(spelt_folder, trained("spelt", data, &c, 2));
    c.char_hidden = 0;
    c.linear_skip = false;
    c.pool[0] = 0; /* auto: last */
    c.width = WAVE_F;
    strcpy(wide_folder, trained("wide", write_wide("wide.csv", 40), &c, 1));
    c.width = 0;
    strcpy(c.sequence_column, "id");
    strcpy(c.step_column, "t");
    strcpy(c.features, "x,y"); /* in the file y stands first */
    strcpy(long_folder, trained("long", write_long("long.csv", 40), &c, 1));
#endif
    return 0;
}

static inline int end(void **state)
{
    elman_context_free(context);
    return remove_test_folder(state);
}

#define need_models() (*words_folder ? (void)0 : skip())

static inline elman_predictor *predictor_of(const char *folder)
{
    elman_predictor *p;
    assert_ok(elman_predictor_open(context, folder, &p, &problem));
    return p;
}

static inline elman_classifier *classifier_of(const char *folder)
{
    elman_classifier *c;
    assert_ok(elman_classifier_open(context, folder, &c, &problem));
    return c;
}

static inline elman_predict_options json_options(void)
{
    elman_predict_options o;
    elman_predict_options_default(&o);
    o.json = true;
    return o;
}

#endif
