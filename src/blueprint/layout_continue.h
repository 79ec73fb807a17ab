/* A folder of another tool's migrations that is added again. Internal to the module. */
#ifndef TENANTRY_BLUEPRINT_LAYOUT_CONTINUE_H
#define TENANTRY_BLUEPRINT_LAYOUT_CONTINUE_H

#include "blueprint/blueprint.h"

/* Gives the migrations of a blueprint that was read from its folder the positions that they have in
 * the recorded one, and new ones the positions behind them. What is repeatable and has changed is a
 * new migration at the end; its older texts stay where they are. ERR_BLUEPRINT_EXISTS when a new
 * one comes before one that is recorded, or a recorded one is gone; what has changed is
 * registry_check's to refuse. */
bool layout_continue(Arena *arena, const Blueprint *old, Blueprint *blueprint, Err *err);

#endif
