/* One instruction set's recurrent kernels. */
#include "kernel/body/recurrent.h"

extern const elman_recurrent_kernels ELMAN_KERNEL(elman_recurrent_kernels_table);

const elman_recurrent_kernels ELMAN_KERNEL(elman_recurrent_kernels_table) = {
    .width = VW,
    .block_vectors = block_vectors,
    .panels = ELMAN_KERNEL(elman_recurrent_panels),
    .pack_rows = ELMAN_KERNEL(elman_recurrent_pack_rows),
    .pack_columns = ELMAN_KERNEL(elman_recurrent_pack_columns),
    .product = ELMAN_KERNEL(elman_recurrent_product),
    .carry_product = ELMAN_KERNEL(elman_recurrent_carry_product),
    .forward = {ELMAN_KERNEL(elman_rnn_tanh_forward), ELMAN_KERNEL(elman_rnn_relu_forward),
                ELMAN_KERNEL(elman_lstm_forward), ELMAN_KERNEL(elman_gru_forward)},
    .backward = {ELMAN_KERNEL(elman_rnn_tanh_backward), ELMAN_KERNEL(elman_rnn_relu_backward),
                 ELMAN_KERNEL(elman_lstm_backward), ELMAN_KERNEL(elman_gru_backward)},
};
