// OpenBLAS, and its exported switches of the kernel set inside a running process.
#include <cblas.h>

char *openblas_get_corename(void);
char *openblas_get_config(void);
void openblas_set_num_threads(int);
void gotoblas_dynamic_init(void);
void gotoblas_dynamic_quit(void);
