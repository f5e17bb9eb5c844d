/* The terminal at which a person watches: of this process, or of the launcher that started it and forwards its output. */
#ifndef VB_TTY_H
#define VB_TTY_H

/* A descriptor to write to: 2 where the standard error is a terminal; else, under mpirun, a new one for the terminal that is
 * mpirun's standard error; -1 where there is none: a batch job, a pipe, a file, ranks that another machine's daemon started. A
 * terminal that stops programs in the background for writing (stty tostop) is none. No fault is injected here. */
int vb_tty_open(void);
void vb_tty_close(int tty); /* 2 and -1 stay as they are */
/* Columns of the terminal; 80 where it does not say. */
int vb_tty_columns(int tty);

#endif
