#include "kernel/body/product.h"

const elman_product_kernels ELMAN_KERNEL(elman_product_kernels_table) = {
    .panel = PANEL,
    .width = VW,
    .pack_rows = ELMAN_KERNEL(elman_product_pack_rows),
    .pack_columns = ELMAN_KERNEL(elman_product_pack_columns),
    .rows = ELMAN_KERNEL(elman_product_rows),
    .columns_scratch = ELMAN_KERNEL(elman_product_columns_scratch),
    .columns = ELMAN_KERNEL(elman_product_columns),
    .add = ELMAN_KERNEL(elman_product_add),
};
