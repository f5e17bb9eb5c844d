set tmargin 4.7
set lmargin 7
set rmargin 3
set xrange [-0.6:@LAST@]
set grid ytics lt 1 lc rgb '@LINE@' lw 1
set ytics format '%.1f %%'
set xtics (@TICS@)
plot '@FILE@.csv' skip 1 using (strcol(2) eq 'template'?$1-1.15:NaN):5 with points pt 7 ps 0.7 lc rgb '@FIRST@' title 'a template', \
  '' skip 1 using (strcol(2) eq 'synonyms'?$1-0.85:NaN):5 with points pt 6 ps 0.7 lc rgb '@SECOND@' title 'a draw of synonyms', \
  '' skip 1 using (strcol(2) eq 'as run'?$1-1:NaN):5 with points pt 2 ps 1 lw 2 lc rgb '@INK@' title 'as run'
