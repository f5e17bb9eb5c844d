set lmargin 7
set rmargin 3
set tmargin 2.7
set boxwidth @BIN@
set xrange [@LOW@:@HIGH@]
set yrange [0:]
set grid ytics lt 1 lc rgb '@LINE@' lw 1
set ytics format '%g %%'
