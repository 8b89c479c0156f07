// OpenBLAS, and its exported switches of the kernel set inside a running process.
#include <cblas.h>

char *openblas_get_corename(void);
char *openblas_get_config(void);
void openblas_set_num_threads(int);
// 0: without threads, 1: with threads of its own, 2: with those of OpenMP.
int openblas_get_parallel(void);
void gotoblas_dynamic_init(void);
void gotoblas_dynamic_quit(void);
