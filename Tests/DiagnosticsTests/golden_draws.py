"""The derived streams of Sources/Randomness/Draw.swift, written a second time: prints the golden
values of DrawTests.swift. Plain python3."""
import math

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def mixed(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


class Draw:
    def __init__(self, seed, purpose, epoch=0, step=0, sample=0):
        self.state = mixed((seed + GOLDEN) & MASK)
        for part in (purpose, epoch, step, sample):
            self.state = mixed(self.state ^ mixed((part + GOLDEN) & MASK))

    def next(self):
        self.state = (self.state + GOLDEN) & MASK
        return mixed(self.state)

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53

    def below(self, bound):  # Lemire 2019
        product = self.next() * bound
        if product & MASK < bound:
            while product & MASK < (2**64 - bound) % bound:
                product = self.next() * bound
        return product >> 64

    def normal(self):
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        return radius * math.cos(2 * math.pi * self.uniform())

    def shuffled(self, count):
        items = list(range(count))
        for i in range(count - 1):
            j = i + self.below(count - i)
            items[i], items[j] = items[j], items[i]
        return items

    def log_gamma(self, shape):  # Marsaglia and Tsang 2000
        if shape < 1:
            larger = self.log_gamma(shape + 1)
            return larger + math.log(1 - self.uniform()) / shape
        d = shape - 1 / 3
        while True:
            x = self.normal()
            u = 1 - self.uniform()
            v = (1 + x / math.sqrt(9 * d)) ** 3
            if v > 0 and math.log(u) < x * x / 2 + d - d * v + d * math.log(v):
                return math.log(d * v)

    def beta(self, a, b):
        first = self.log_gamma(a)
        return 1 / (1 + math.exp(self.log_gamma(b) - first))


d = Draw(0, 1)
print("seed 0, split:", [hex(d.next()) for _ in range(3)])
d = Draw(2**64 - 1, 5, epoch=3, step=70, sample=-1)
print("all keys:", [hex(d.next()) for _ in range(3)])
d = Draw(7, 10)
print("uniform:", [d.uniform() for _ in range(3)])
d = Draw(7, 10)
print("below 10:", [d.below(10) for _ in range(12)])
d = Draw(7, 10)
print("below 3 * 2**61:", [d.below(3 * 2**61) for _ in range(6)])
d = Draw(7, 10)
print("normal:", [d.normal() for _ in range(3)])
print("shuffled:", Draw(7, 10).shuffled(10))
d = Draw(7, 10)
print("gamma:", [math.exp(d.log_gamma(a)) for a in (4, 1, 0.3)])
d = Draw(7, 10)
print("beta:", [d.beta(a, b) for a, b in ((4, 4), (1, 1), (0.2, 0.2), (0.5, 3))])
