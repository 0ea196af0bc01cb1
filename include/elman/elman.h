/* Elman: recurrent networks for ordinary processors. Everything public, one header a concept. */
#ifndef ELMAN_ELMAN_H
#define ELMAN_ELMAN_H

#include "elman/batch.h"
#include "elman/cell.h"
#include "elman/classify.h"
#include "elman/compare.h"
#include "elman/config.h"
#include "elman/context.h"
#include "elman/doctor.h"
#include "elman/encoder.h"
#include "elman/forecast.h"
#include "elman/gradient_flow.h"
#include "elman/layer.h"
#include "elman/metrics.h"
#include "elman/model.h"
#include "elman/op.h"
#include "elman/optimizer.h"
#include "elman/options.h"
#include "elman/predict.h"
#include "elman/report.h"
#include "elman/safetensors.h"
#include "elman/sample.h"
#include "elman/status.h"
#include "elman/tag.h"
#include "elman/tape.h"
#include "elman/task.h"
#include "elman/text.h"
#include "elman/version.h"
#include "elman/vocabulary.h"

#endif
