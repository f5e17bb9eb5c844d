$values << END
@VALUES@END
set tmargin @TOP@
set lmargin 7
set rmargin 3
set xrange [0:@STEPS@]
set yrange [@LOW@:@HIGH@]
set grid ytics lt 1 lc rgb '@LINE@' lw 1
set ytics format '%.0f %%'
set xtics format '%.0f'
set xlabel 'foreign vocabularies added' textcolor rgb '@MUTED@'
plot @CURVES@, \
  $values using 1:2:3 with labels hypertext point pt 6 ps 0.1 notitle
