$values << END
@VALUES@END
set tmargin @TOP@
set lmargin 7
set rmargin 3
set logscale x 10
set xrange [1:@NAMES@]
set yrange [@LOW@:@HIGH@]
set grid ytics lt 1 lc rgb '@LINE@' lw 1
set ytics format '%.0f %%'
set xtics format '%.0f'
set xlabel 'foreign names' textcolor rgb '@MUTED@'
plot @CURVES@, \
  $values using 1:2:3 with labels hypertext point pt 6 ps 0.1 notitle
