/* TFRecord, the framing of TensorBoard's event files: each record stands between its length and
 * checksums of both, so that a file that was cut is read up to its last whole record. */
#ifndef ELMAN_FORMAT_TFRECORD_H
#define ELMAN_FORMAT_TFRECORD_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli; RFC 3720, B.4). */
uint32_t elman_crc32c(const void *bytes, size_t size);

enum { ELMAN_TFRECORD_HEAD = 12, ELMAN_TFRECORD_TAIL = 4 };

/* What stands before and behind `size` bytes: the length as 8 bytes, lowest first, and its masked
 * CRC; the masked CRC of the bytes. */
void elman_tfrecord_head(unsigned char head[ELMAN_TFRECORD_HEAD], size_t size);
void elman_tfrecord_tail(unsigned char tail[ELMAN_TFRECORD_TAIL], const void *bytes, size_t size);

#endif
