$values << END
@VALUES@END
@MARKS@set xrange [@LEFT@:@RIGHT@]
set yrange [@LOW@:@HIGH@]
unset key
set lmargin 12
set rmargin 3
set grid xtics ytics lt 1 lc rgb '@LINE@' lw 1
set xlabel 'uniformity of the texts (lower is better)' textcolor rgb '@MUTED@'
set ylabel 'alignment (lower is better)' textcolor rgb '@MUTED@'
plot '@FILE@.csv' skip 1 using 1:2:4 with points pt 7 ps 1.1 lc rgb variable, \
  $values using 1:2:3 with labels hypertext point pt 6 ps 0.1
