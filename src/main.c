#include <stdio.h>

int main(void)
{
    return puts("tenantry") < 0;
}
