$values << END
@VALUES@END
@NAMES@set xrange [@LEFT@:@RIGHT@]
set yrange [@LOW@:@HIGH@]
set key bottom right Right noreverse
set lmargin 9
set rmargin 3
set grid xtics ytics lt 1 lc rgb '@LINE@' lw 1
set xlabel 'Acc-C, percent: among the names of the own vocabulary' textcolor rgb '@MUTED@'
set ylabel 'Acc-E, percent: while vocabularies are added' textcolor rgb '@MUTED@'
plot x with lines lc rgb '@MUTED@' dt 2 title 'nothing is lost', \
  '@FILE@.csv' skip 1 using 1:2:4 with yerrorbars pt 0 lc rgb '@MUTED@' notitle, \
  '' skip 1 using 1:2:5 with points pt 7 ps 1.1 lc rgb variable notitle, \
  $values using 1:2:3 with labels hypertext point pt 6 ps 0.1 notitle
