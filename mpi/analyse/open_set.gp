set tmargin @TOP@
set lmargin 7
set rmargin 3
set logscale x 10
set xrange [1:@NAMES@]
set yrange [@LOW@:1]
set grid ytics lt 1 lc rgb '@LINE@' lw 1
set ytics format '%.2f'
set xtics format '%.0f'
set xlabel 'foreign names beside the vocabulary' textcolor rgb '@MUTED@'
plot @CURVES@
