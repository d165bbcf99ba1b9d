cat >probe.cpp <<'END'
#include <iostream>
#include <numeric>
#include <vector>
int main() {
    std::vector<int> numbers(9);
    std::iota(numbers.begin(), numbers.end(), 1);
    std::cout << std::accumulate(numbers.begin(), numbers.end(), 0) << std::endl;
}
END
c++ -O2 -Wall -o probe probe.cpp
fact "the program's answer" "45" "$(./probe)"
verdict "$(c++ --version | head -n 1)"
