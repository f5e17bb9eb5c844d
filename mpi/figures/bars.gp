$values << END
@VALUES@END
set lmargin @MARGIN@
set rmargin 6
set tmargin 2.4
set bmargin 2
set xrange [0:100]
set yrange [@BOTTOM@:-0.6]
set xtics 0,20,100 format '%.0f %%'
set grid xtics lt 1 lc rgb '@LINE@' lw 1
set ytics (@NAMES@) textcolor rgb '@INK@'
plot '@FILE@.csv' skip 1 using ($2/2):($1-0.2):($2/2):(0.18) with boxxyerror lc rgb '@BLUE@' title @FIRST@, \
  '' skip 1 using 2:($1-0.2):(sprintf('%.1f', $2)) with labels left offset 0.4,0 font ',10' textcolor rgb '@MUTED@' notitle@NUMBERED@, \
  '@FILE@.csv' skip 1 using ($3/2):($1+0.2):($3/2):(0.18) with boxxyerror lc rgb '@ORANGE@' title @SECOND@, \
  $values using 1:2:3 with labels hypertext point pt 6 ps 0.1 notitle@MORE@
  '@FILE@.csv' skip 1 using 3:($1+0.2):(sprintf('%.1f', $3)) with labels left offset 0.4,0 font ',10' textcolor rgb '@MUTED@' notitle@NUMBERED@
