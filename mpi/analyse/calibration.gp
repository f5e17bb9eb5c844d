set tmargin @TOP@
set lmargin 7
set rmargin 3
set xrange [0:100]
set yrange [0:100]
set grid ytics lt 1 lc rgb '@LINE@' lw 1
set ytics format '%.0f %%'
set xtics format '%.0f %%'
set xlabel 'mean confidence of a bin' textcolor rgb '@MUTED@'
plot x with lines lw 1 dt 2 lc rgb '@MUTED@' title 'confidence is accuracy', \
  @CURVES@
