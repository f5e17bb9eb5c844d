# gnuplot -d @FILE@.gp
set encoding utf8
set terminal svg size 640,@HEIGHT@ dynamic noenhanced font 'sans-serif,13'
set output '@FILE@.svg'
set datafile separator ','
set border 0
set tics scale 0 nomirror textcolor rgb '@MUTED@'
set style fill solid 1 noborder
set key tmargin left Left reverse samplen 1.2 maxrows 3 textcolor rgb '@INK@'
