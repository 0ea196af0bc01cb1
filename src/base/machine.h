/* What the machine has. */
#ifndef ELMAN_BASE_MACHINE_H
#define ELMAN_BASE_MACHINE_H

/* Bytes of memory that a process may have: the machine's, or its group's where that is limited; 0
 * where it cannot be told. */
double elman_machine_memory(void);

#endif
